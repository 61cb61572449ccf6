import Batches
import ContrastiveLoss
import JSON

/// A scored batch, kept for viewers. It shares the arrays of the loss and of the reply. It copies only floats of the
/// request's body, so that the body does not outlive the reply.
struct KeptBatch: Sendable {
    /// The number of the batch, counted from 1 since the server started.
    let number: Int
    /// Seconds since 1970, UTC.
    let time: Double
    let run: String
    let requestID: String
    /// The reply as it was sent, without gradients of logits.
    private let reply: TensorReply
    private let shown: ShownTokens
    /// The approximate size in memory.
    let bytes: Int

    init?(_ reply: TensorReply, number: Int, time: Double, run: String, requestID: String) {
        guard let shown = reply.shown else { return nil }
        self.number = number
        self.time = time
        self.run = run
        self.requestID = requestID
        self.reply = reply.withoutLogits
        self.shown = shown
        bytes = self.reply.tokenBytes + shown.bytes + reply.layout.bytes + (16 << 10)
    }

    var tokens: Int { reply.layout.sequences.tokens }

    /// The summary of the batch in the list and in events.
    var summary: JSONValue {
        [
            "batch": .integer(Int64(number)), "time": .number(time), "run": .string(run),
            "request_id": .string(requestID),
            "preset": .string(reply.signals?.preset ?? ""),
            "sequences": .integer(Int64(reply.layout.sequences.count)), "tokens": .integer(Int64(tokens)),
            "response_tokens": .integer(Int64(reply.signals?.diagnostics.tokens ?? 0)),
            "has_texts": .bool(shown.texts != nil), "bytes": .integer(Int64(bytes)),
            "signals": SignalPoint(number: number, time: time, reply).json,
        ]
    }

    /// Returns the largest size of a reply about it, in bytes.
    func replyBytes(in encoding: TensorEncoding) -> Int {
        let columns = 24
        return tokens * columns * (encoding == .json ? TensorReply.digits : 8) + 6 * (shown.texts?.bytes ?? 0)
            + (1 << 16)
    }

    /// The batch as a reply: rollouts in JSON, packed tensors in safetensors.
    func whole(in encoding: TensorEncoding) -> TensorReply {
        let lengths = (0..<reply.layout.sequences.count).map { reply.layout.sequences[$0].count }
        let ids: [JSONValue?] =
            if case .rollouts(let ids) = reply.layout.kind { ids } else {
                [JSONValue?](repeating: nil, count: lengths.count)
            }
        let layout =
            switch encoding {
            case .json: TokenLayout(rollouts: ids, lengths: lengths)
            case .safetensors: TokenLayout(packed: lengths)
            }
        var whole = TensorReply(form: reply.form, layout: layout)
        whole.scalars = (summary.members ?? []) + reply.resolvedScalars(withSequences: false)
        if let texts = shown.texts { whole.add("tokens", texts) }
        if encoding == .safetensors {
            whole.scalars.append(.init("ids", .array(ids.map { $0 ?? .null })))
            whole.add("cu_seqlens", indices: reply.layout.sequences.offsets)
        }
        if let ids = shown.tokenIDs { whole.add("token_ids", integers: ids) }
        whole.add("response_mask", masks: shown.responseMask)
        for view in View.allCases {
            if let values = shown.logProbabilities[view] {
                whole.add("\(view.rawValue).log_probs", shown.inResponse(values))
            }
            if let values = shown.entropies[view] {
                whole.add("\(view.rawValue).entropy", shown.inResponse(values))
            }
        }
        add("advantages", "advantage", shown.advantages, to: &whole)
        add("rewards", "reward", shown.rewards, to: &whole)
        whole.add(entriesOf: reply)
        return whole
    }

    /// Adds one number for each sequence if the request had that, otherwise one for each token.
    private func add(_ name: String, _ member: String, _ values: TokenNumbers?, to whole: inout TensorReply) {
        guard let values else { return }
        if let (values, _) = values.perSequence {
            whole.add(name, sequences: values.map(ShownTokens.shown), in: member)
        } else {
            whole.add(name, shown.inResponse(values))
        }
    }
}

extension TokenLayout {
    /// The approximate size in memory.
    fileprivate var bytes: Int {
        let offsets = 8 * (sequences.count + 1)
        guard case .rollouts(let ids) = kind else { return offsets }
        return ids.reduce(offsets) { $0 + 32 + ($1?.string?.utf8.count ?? 0) }
    }
}
