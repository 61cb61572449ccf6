import HTTP
import JSON
import Perception

/// An operation on tensors: what it takes, and what it makes of a request whose encoding is gone.
protocol TensorOperation {
    static var schema: TensorSchema { get }

    /// What to do with the tensors of a request that is still arriving: those that have not arrived are outlines. Asked
    /// when the header is complete, and again before logits that are not kept, once other tensors have arrived.
    ///
    /// - Returns: nil to keep all of them and to check nothing before they are complete.
    /// - Throws: whatever is known to be wrong by then.
    static func plan(for request: TensorRequest, context: OperationContext) throws(Problem) -> IntakePlan?

    static func reply(to request: TensorRequest, context: OperationContext) throws(Problem) -> TensorReply
}

extension TensorOperation {
    static func plan(for request: TensorRequest, context: OperationContext) throws(Problem) -> IntakePlan? {
        nil
    }
}

/// What an operation knows beside the tensors.
struct OperationContext: Sendable {
    let query: [QueryItem]
    /// Bytes that one request's results and intermediate values may take.
    let memoryBudget: Int
    /// Whether the reply's tensors go to a shared file.
    var writesToFile = false

    /// The query's parameters as members of an option table.
    func members<Target>(of table: OptionTable<Target>, _ faults: inout Faults) -> [JSONValue.Member] {
        table.members(of: query, &faults)
    }

    /// - Throws: `memory-budget-exceeded` when a batch of this layout, with so many further bytes, is above the budget.
    func check(_ layout: TokenLayout, furtherBytes: Int = 0) throws(Problem) {
        try check(tokens: layout.rows.tokens, rows: layout.rows.count, furtherBytes: furtherBytes)
    }

    /// The same of a reply whose gradients of logits are still to be computed, in memory unless they go to a file.
    func check(_ reply: TensorReply) throws(Problem) {
        guard let gradients = reply.gradients, !writesToFile else { return }
        try check(reply.layout, furtherBytes: gradients.bytesPerView * reply.gradientViews.count)
    }

    /// The same of a layout that would itself take memory.
    func check(tokens: Int, rows: Int, furtherBytes: Int = 0) throws(Problem) {
        // Some twenty lists of Doubles at the peak, and the diagnostics of each sequence as text.
        let needed = tokens * 256 + rows * 4096 + furtherBytes
        guard needed <= memoryBudget else {
            throw Problem(
                .memoryBudgetExceeded,
                Problem.Reason(
                    "this batch needs too much memory; send it in parts, or return fewer gradients of logits",
                    field: "body", expected: "at most \(memoryBudget) bytes", found: "about \(needed) bytes"),
                limit: memoryBudget)
        }
    }
}
