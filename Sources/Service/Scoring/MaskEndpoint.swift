import ContrastiveLoss
import JSON
import Perception

/// /v1/mask: the detector and the gate of /v1/score alone.
struct MaskEndpoint: TensorOperation {
    static let schema = TensorSchema.mask

    static func reply(to request: TensorRequest, context: OperationContext) throws(Problem) -> TensorReply {
        var faults = Faults()
        let options = MaskOptions(
            body: request.options, query: context.members(of: MaskOptions.table, &faults), &faults)
        try faults.check()

        let guide = ["original.entropy", "removing.entropy", "response_mask"]
        let layout = try TokenLayout(request, guide: guide, within: context)
        var tensors = TokenTensors(request, layout: layout, faults: faults)
        let original = tensors.numbers("original.entropy")
        let removing = tensors.numbers("removing.entropy")
        if options.detector.method == .entropy || tensors.has("original.entropy")
            || tensors.has("removing.entropy")
        {
            for name in ["original.entropy", "removing.entropy"] where !tensors.has(name) {
                tensors.addMissing(name, "the entropy detector needs it")
            }
        } else if !tensors.has("response_mask") {
            tensors.addMissing("response_mask", "without entropies it says which tokens there are")
        }
        let advantages = tensors.advantages(required: options.gate.method == .positiveAdvantage)
        try tensors.faults.check()

        let detects = options.detector.method == .entropy
        let detection = options.detector.detect(
            originalEntropy: detects ? original : nil,
            removingEntropy: detects ? removing : nil,
            responseMask: tensors.responseMask, rows: layout.rows)
        let gate = options.gate.open(
            advantages: advantages, responseMask: tensors.responseMask)
        let mask = intersection(of: detection.mask, and: gate)

        var reply = TensorReply(form: request.form, layout: layout)
        for output in MaskOptions.Output.allCases where options.returned.contains(output) {
            switch output {
            case .perceptionMask: reply.add(output.rawValue, masks: detection.mask)
            case .gate: reply.add(output.rawValue, masks: gate)
            case .mask: reply.add(output.rawValue, masks: mask)
            case .deltaEntropy: reply.add(output.rawValue, detection.deltaEntropy)
            case .perceptionScore: reply.add(output.rawValue, detection.score)
            }
        }
        let counts = Diagnostics.Source(
            responseMask: tensors.responseMask, detection: detection, mask: mask,
            detects: options.detector.method == .entropy, loss: nil)
        reply.setDiagnostics(counts, rows: layout.rows, preset: options.preset.rawValue)
        reply.scalars.append(.init("options", MaskOptions.table.echo(options)))
        try reply.check()
        return reply
    }
}
