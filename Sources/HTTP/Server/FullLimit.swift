/// A limit that is reached at the moment, named as in `/v1/info` and as an option.
package enum FullLimit: Sendable, Equatable {
    /// The limit on heavy requests that wait for a thread.
    case queue(Int)
    case connections(Int)

    package var name: String {
        switch self {
        case .queue: "queue_limit"
        case .connections: "max_connections"
        }
    }

    package var value: Int {
        switch self {
        case .queue(let value), .connections(let value): value
        }
    }
}
