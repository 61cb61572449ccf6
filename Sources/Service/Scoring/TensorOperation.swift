import Batches
import HTTP
import JSON
import Perception
import TokenDistribution

/// An operation on tensors: the tensors that it accepts, and its reply to a decoded request.
protocol TensorOperation {
    static var schema: TensorSchema { get }

    /// Returns the use of each tensor of a request that is still arriving. Tensors that have not arrived are outlines.
    /// The function is called when the header is complete. It is called again before logits that are not kept, if other
    /// tensors have arrived since.
    ///
    /// - Returns: nil to keep all tensors and to check nothing before they are complete.
    /// - Throws: the errors that are known by then.
    static func plan(for request: TensorRequest, context: OperationContext) throws(Problem) -> IntakePlan?

    static func reply(to request: TensorRequest, context: OperationContext) throws(Problem) -> TensorReply
}

extension TensorOperation {
    static func plan(for request: TensorRequest, context: OperationContext) throws(Problem) -> IntakePlan? {
        nil
    }
}

/// The inputs of an operation other than the tensors.
struct OperationContext: Sendable {
    let query: [QueryItem]
    /// The memory for all requests in flight together, in bytes.
    let memoryBudget: Int
    /// The destination of the reply's tensors.
    var destination = Destination.binary
    /// A Boolean value indicating whether scored batches are kept for viewers.
    var keepsTokens = false
    /// The scope in which the work runs; nil while the request is still arriving, when no memory is claimed for the
    /// work.
    var scope: RequestScope?

    enum Destination: Sendable {
        case file, binary, text
    }

    /// A Boolean value indicating whether a client still waits for the reply. It costs a system call.
    var isWanted: Bool { scope?.isWanted ?? true }

    /// Returns the query's parameters as members of an option table.
    func members<Target>(of table: OptionTable<Target>, _ faults: inout Faults) -> [JSONValue.Member] {
        table.members(of: query, &faults)
    }

    /// Claims memory for the results and intermediate values of a batch, and further bytes.
    /// - Throws: `memory-budget-exceeded` if the batch can never fit, `busy` if other requests hold the memory.
    func claim(_ layout: TokenLayout, furtherBytes: Int = 0) throws(Problem) {
        try claim(
            tokens: layout.sequences.tokens, sequences: layout.sequences.count, furtherBytes: furtherBytes)
    }

    /// Claims memory for a reply whose gradients of logits are still to be computed. They take memory unless they go to
    /// a file.
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

    /// Claims memory for a batch before its layout exists, because the layout would itself take memory.
    func claim(tokens: Int, sequences: Int, furtherBytes: Int = 0) throws(Problem) {
        // At the peak there are about forty lists, most of them of Doubles, and the diagnostics of each sequence as
        // text.
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
