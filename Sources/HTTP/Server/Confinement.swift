internal import CConfinement

/// The system calls that a server gives up once it listens. It can then open no socket, connect nowhere and start no
/// program. Even if a picture or a tensor took control of it, it could only answer.
package enum Confinement {
    package struct Unavailable: Error, Sendable, Equatable {
        package let errno: CInt
    }

    enum Reach: CInt {
        /// Confines the calling thread and those that it starts.
        case thread = 0
        case process = 1
    }

    /// Confines all threads permanently. Afterwards no further ``Server`` or ``LoopbackClient`` can be created.
    /// - Throws: if the kernel or the processor has no system call filters, or an outer filter forbids them.
    package static func begin() throws(Unavailable) {
        try begin(for: .process)
    }

    static func begin(for reach: Reach) throws(Unavailable) {
        let number = confinement_begin(reach.rawValue)
        guard number == 0 else { throw Unavailable(errno: number) }
    }
}
