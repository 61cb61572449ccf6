/// A client that reads its answer slowly, and the memory that the answer holds meanwhile.
struct SlowReader: Sendable {
    let connection: Connection
    let turn: Int
    let heldBytes: Int
    /// The time by which it exceeds that of a client that is not slow.
    let late: Duration
}

/// The number of slow readers, and the memory that their answers hold together.
package struct SlowReaders: Sendable, Equatable {
    package var count = 0
    package var bytes = 0

    package init(count: Int = 0, bytes: Int = 0) {
        self.count = count
        self.bytes = bytes
    }

    init(_ readers: [SlowReader]) {
        count = readers.count
        bytes = readers.reduce(0) { $0 + $1.heldBytes }
    }

    /// Returns the readers to disconnect so that the others hold no more than `share`, the latest first. As long as all
    /// fit, none is disconnected.
    static func excess(_ readers: [SlowReader], beyond share: Int) -> [SlowReader] {
        var left = SlowReaders(readers).bytes
        guard left > share else { return [] }
        var excess: [SlowReader] = []
        for reader in readers.sorted(by: { $0.late > $1.late }) where left > share {
            excess.append(reader)
            left -= reader.heldBytes
        }
        return excess
    }
}
