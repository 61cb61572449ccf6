import Batches
import HTTP
import JSON
import Perception
import TokenDistribution

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
    /// Bytes of all requests in flight together.
    let memoryBudget: Int
    /// Where the reply's tensors go.
    var destination = Destination.binary
    /// Whether what is scored is kept for viewers.
    var keepsTokens = false
    /// Of the server that runs the work; nil while the request is still arriving, when nothing is claimed for it yet.
    var scope: RequestScope?

    enum Destination: Sendable {
        case file, binary, text
    }

    /// Whether someone still waits for the reply. It costs a system call.
    var isWanted: Bool { scope?.isWanted ?? true }

    /// The query's parameters as members of an option table.
    func members<Target>(of table: OptionTable<Target>, _ faults: inout Faults) -> [JSONValue.Member] {
        table.members(of: query, &faults)
    }

    /// Claims what the results and intermediate values of a batch take, with so many further bytes.
    /// - Throws: `memory-budget-exceeded` when it would never fit, `busy` when others hold the memory.
    func claim(_ layout: TokenLayout, furtherBytes: Int = 0) throws(Problem) {
        try claim(
            tokens: layout.sequences.tokens, sequences: layout.sequences.count, furtherBytes: furtherBytes)
    }

    /// The same for a reply whose gradients of logits are still to be computed, in memory unless they go to a file.
    func claim(_ reply: TensorReply) throws(Problem) {
        guard let gradients = reply.gradients else { return }
        let (type, views) = (reply.gradientType, reply.gradientViews)
        let bytesEach =
            switch destination {
            case .file: 0
            case .binary: type.size
            // The number, and its digits.
            case .text: type.size + TensorReply.digits
            }
        try claim(
            reply.layout,
            furtherBytes: bytesEach * gradients.countPerView * views.count
                + gradients.scratchBytes(as: type, of: views))
    }

    /// The same for a layout that would itself take memory.
    func claim(tokens: Int, sequences: Int, furtherBytes: Int = 0) throws(Problem) {
        // Some forty lists, most of them of Doubles, at the peak, and the diagnostics of each sequence as text.
        let needed = tokens * 320 + sequences * 4096 + furtherBytes
        guard needed <= memoryBudget else {
            throw Problem(
                .memoryBudgetExceeded,
                Problem.Reason(
                    "this batch needs too much memory; send smaller batches, or return fewer gradients of logits",
                    field: "body", expected: "at most \(memoryBudget) bytes", found: "about \(needed) bytes"),
                limit: memoryBudget)
        }
        try scope?.claimMemory(needed)
    }
}
