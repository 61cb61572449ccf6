import ContrastiveLoss
import JSON
import Perception

/// /v1/mask: the detector and the gate of /v1/score alone, and how advantages are scaled.
struct MaskEndpoint: TensorOperation {
    static let schema = TensorSchema.mask

    static func reply(to request: TensorRequest, context: OperationContext) throws(Problem) -> TensorReply {
        var faults = Faults()
        let options = MaskOptions(
            body: request.options, query: context.members(of: MaskOptions.table, &faults), &faults)
        try faults.check()
        let layout = try TokenLayout(request, guide: schema.guides, within: context)
        var tensors = TokenTensors(request, layout: layout, faults: faults)
        let (batch, merits) = try batch(&tensors, options)
        let selection: Selection
        do throws(InfiniteDivergence) {
            selection = try options.loss.select(in: batch)
        } catch {
            preconditionFailure("no divergence over the vocabulary is computed here")
        }

        var reply = TensorReply(form: request.form, layout: layout)
        for output in MaskOptions.Output.allCases where options.returned.contains(output) {
            let name = output.rawValue
            switch output {
            case .perceptionMask: reply.add(name, masks: selection.detection.mask)
            case .gate: reply.add(name, masks: selection.gate)
            case .mask: reply.add(name, masks: selection.mask)
            case .deltaEntropy: reply.add(name, selection.detection.deltaEntropy ?? [])
            case .perceptionScore: reply.add(name, selection.detection.score ?? [])
            case .advantageScale: reply.add(name, sequences: selection.advantageScales?.values ?? [])
            }
        }
        reply.setDiagnostics(
            Diagnostics.Source(
                batch: batch, selection: selection, report: nil, groups: merits.groups,
                residues: tensors.residues),
            rows: layout.rows, preset: options.preset.rawValue)
        reply.scalars.append(.init("options", MaskOptions.table.echo(options)))
        try reply.check()
        return reply
    }

    /// - Throws: everything found wrong.
    private static func batch(
        _ tensors: inout TokenTensors, _ options: MaskOptions
    ) throws(Problem) -> (TokenBatch, Merits) {
        let loss = options.loss
        let needs = loss.needs(hasOld: tensors.has(.oldLogProbabilities))
        var entropies = PerView<[Double]?>(repeating: nil)
        var logProbabilities = PerView<[Double]?>(repeating: nil)
        for view in [View.original, .removing] {
            entropies[view] = tensors.numbers(.entropy(view), isUsed: needs.entropies.contains(view))
            logProbabilities[view] = tensors.numbers(
                .logProbabilities(view), isUsed: needs.logProbabilities.contains(view))
            if needs.entropies.contains(view), !tensors.has(.entropy(view)) {
                tensors.addMissing(.entropy(view), "the entropy detector needs it")
            }
            if needs.logProbabilities.contains(view), !tensors.has(.logProbabilities(view)) {
                tensors.addMissing(.logProbabilities(view), "a dependency is measured from it")
            }
        }
        let old = tensors.numbers(.oldLogProbabilities)
        let given = tensors.mask(.perceptionMask)
        tensors.checkPerceptionMask(loss.detector.method)
        if !MaskEndpoint.schema.guides.contains(where: tensors.has) {
            tensors.addMissing(.responseMask, "without other tensors it says which tokens there are")
        }
        let merits = tensors.merits(loss.gate.method, needsAdvantages: loss.gate.method.needsAdvantages)
        try tensors.faults.check()
        var batch = TokenBatch(tensors, merits)
        batch.entropies = entropies
        batch.logProbabilities = logProbabilities
        batch.oldLogProbabilities = old
        batch.perceptionMask = given
        return (batch, merits)
    }
}
