import HTTP
import JSON

/// An operation on tensors: what it takes, and what it makes of a request whose encoding is gone.
protocol TensorOperation {
    static var schema: TensorSchema { get }
    static func reply(to request: TensorRequest, query: QueryMembers) throws(Problem) -> TensorReply
}

/// A query string that is still to be read by the options of some operation.
struct QueryMembers: Sendable {
    let items: [QueryItem]

    func read<Target>(by table: OptionTable<Target>, _ faults: inout Faults) -> [JSONValue.Member] {
        table.members(of: items, &faults)
    }
}
