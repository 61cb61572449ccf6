import HTTP
import JSON
import SharedFiles
import Tensor

/// One request for an operation on tensors. JSON is collected and then read, safetensors is taken apart while it
/// arrives, and tensors in a shared file need no body. The reply is sent back or written to a shared file.
struct TensorExchange<Operation: TensorOperation & SendableMetatype>: Sendable {
    private let service: PerceptionService
    private let path: String
    private let head: RequestHead
    private let names: SharedNames
    private let encoding: (body: TensorEncoding, reply: TensorEncoding)
    private let context: OperationContext

    /// - Throws: errors that the head alone shows.
    init(_ service: PerceptionService, path: String, head: RequestHead) throws(Problem) {
        self.service = service
        self.path = path
        self.head = head
        names = try SharedNames(head.query)
        let body = TensorEncoding(ofBody: head)
        encoding = (body, TensorEncoding(ofReply: head, to: body))
        context = OperationContext(
            query: SharedNames.without(head.query), memoryBudget: service.settings.server.memoryBudgetBytes,
            destination: names.output != nil ? .file : encoding.reply == .json ? .text : .binary,
            keepsTokens: service.recent != nil)
    }

    func opening() -> Opening {
        let types = names.input == nil ? TensorEncoding.mediaTypes : nil
        if let refusal = service.refusal(head, types: types) { return .reply(refusal) }
        if let name = names.input {
            let reason = Problem.Reason(
                "the tensors are in the named file, so the request must have no body",
                field: SharedNames.inputParameter)
            return .sink(AbsentBody(for: head, reason: reason) { outcome(ofFile: name, $0) })
        }
        let settings = service.settings
        if encoding.body == .json {
            return service.collect(head, upTo: settings.maxJSONBodyBytes) { bytes, scope in
                service.outcome(of: bytes.count, inPlaceUpTo: PerceptionService.lightBodyBytes) {
                    service.answer(head, path) { timer throws(Problem) in
                        try scope.claimMemory(bytes.count * TensorExchange.textFactor(of: bytes))
                        let request = try TensorRequest(json: bytes, schema: Operation.schema)
                        timer.end(.decode)
                        return try response(to: request, from: nil, scope, &timer)
                    }
                }
            }
        }
        let limits = IntakeLimits(
            streamed: settings.maxStreamedBodyBytes, held: settings.server.maxBodyBytes,
            budget: settings.server.memoryBudgetBytes)
        return .sink(
            TensorIntake(
                head, schema: Operation.schema, limits: limits,
                planner: { request throws(Problem) in try Operation.plan(for: request, context: context) },
                completion: { outcome(of: $0, $1) }))
    }

    /// Returns the memory that reading JSON may take, in bytes for each byte of the text. A digit and a comma become a
    /// Double, in a list that has grown by doubling. Short objects of an engine's reply become entries of several
    /// lists.
    private static func textFactor(of text: [UInt8]) -> Int {
        mentionsReply(text) ? 26 : 6
    }

    private func outcome(of arrival: TensorIntake.Arrival, _ scope: RequestScope) -> Outcome {
        service.outcome(of: arrival.heldBytes, inPlaceUpTo: PerceptionService.lightBodyBytes) {
            service.answer(head, path, before: [.compute: arrival.reducing]) { timer throws(Problem) in
                timer.end(.decode)
                return try response(to: arrival.request, from: nil, scope, &timer)
            }
        }
    }

    private func outcome(ofFile name: String, _ scope: RequestScope) -> Outcome {
        let input: SharedInput
        do throws(Problem) {
            input = try SharedInput(
                name, in: service.settings.directory(for: SharedNames.inputParameter))
        } catch {
            return .reply(error.response(requestID: head.requestID))
        }
        return service.outcome(of: input.file.count, inPlaceUpTo: PerceptionService.lightBodyBytes) {
            service.answer(head, path) { timer throws(Problem) in
                do throws(Problem) {
                    let request = try TensorRequest(input.file, schema: Operation.schema)
                    timer.end(.decode)
                    return try response(to: request, from: input, scope, &timer)
                } catch {
                    // If the file was changed meanwhile, that is the error to report.
                    try input.checkUnchanged()
                    throw error
                }
            }
        }
    }

    /// - Parameter input: the file that holds the tensors; nil if they were in the body.
    private func response(
        to request: TensorRequest, from input: SharedInput?, _ scope: RequestScope,
        _ timer: inout PhaseTimer
    ) throws(Problem) -> Response {
        var context = context
        context.scope = scope
        // Reading and writing millions of numbers take tenths of a second each.
        try scope.goOn()
        let reply = try Operation.reply(to: request, context: context)
        timer.end(.compute)
        try scope.goOn()
        defer { timer.end(.encode) }
        let response: Response
        if let name = names.output {
            response = try reply.publish(
                as: name, in: service.settings.directory(for: SharedNames.outputParameter),
                unlessChanged: input, while: { scope.isWanted })
        } else {
            response = encoding.reply.response(try reply.filled(while: { scope.isWanted }))
            try input?.checkUnchanged()
        }
        let run = service.instruments.count(reply, run: RunName(head) ?? .none, route: path)
        if let run { service.recent?.keep(reply, run: run, requestID: head.requestID) }
        return response
    }
}
