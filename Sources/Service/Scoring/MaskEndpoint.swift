import Batches
import ContrastiveLoss
import JSON
import Perception
import TokenDistribution

/// /v1/mask: only the detector and the gate of /v1/score, and the scales of advantages.
struct MaskEndpoint: TensorOperation {
    static let schema = TensorSchema.mask

    static func reply(to request: TensorRequest, context: OperationContext) throws(Problem) -> TensorReply {
        var faults = Faults()
        let options = MaskOptions(
            body: request.options, query: context.members(of: MaskOptions.table, &faults), &faults)
        try faults.check()
        let layout = try TokenLayout(request, guide: schema.guides, within: context)
        var tensors = TokenTensors(request, layout: layout, faults: faults)
        let (batch, entropies, merits) = try batch(&tensors, options, context)
        let selection: Selection
        do throws(InfiniteDivergence) {
            selection = try options.loss.select(
                in: batch,
                for: DetectionWishes(
                    deltaEntropy: options.returned.contains(.deltaEntropy),
                    score: options.returned.contains(.perceptionScore)))
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
            case .deltaEntropy:
                reply.add(name, selection.detection.narrow?.deltaEntropy, selection.detection.deltaEntropy)
            case .perceptionScore:
                reply.add(name, selection.detection.narrow?.score, selection.detection.score)
            case .originalEntropyLower, .originalEntropyUpper, .removingEntropyLower, .removingEntropyUpper:
                break
            case .advantageScale: reply.add(name, sequences: selection.advantageScales?.values ?? [])
            }
        }
        let bounds: [(MaskOptions.Output, [Double]?)] = [
            (.originalEntropyLower, entropies.bounds.original?.lower),
            (.originalEntropyUpper, entropies.bounds.original?.upper),
            (.removingEntropyLower, entropies.bounds.removing?.lower),
            (.removingEntropyUpper, entropies.bounds.removing?.upper),
        ]
        var echoed = options
        for (output, values) in bounds where options.returnsAll || options.returned.contains(output) {
            guard let values else { continue }
            reply.add(output.rawValue, values)
            echoed.returned.insert(output)
        }
        reply.setDiagnostics(
            Diagnostics.Source(
                batch: batch, selection: selection, report: nil, groups: merits.groups,
                residues: tensors.residues, withoutViews: tensors.withoutViews,
                undecided: entropies.undecided(options.loss.detector, batch)),
            sequences: layout.sequences, preset: options.preset.rawValue)
        reply.scalars.append(.init("options", MaskOptions.table.echo(echoed)))
        try reply.check()
        return reply
    }

    /// - Throws: all errors that were found.
    private static func batch(
        _ tensors: inout TokenTensors, _ options: MaskOptions, _ context: OperationContext
    ) throws(Problem) -> (TokenBatch, ViewEntropies, Merits) {
        let loss = options.loss
        let needs = loss.needs(hasOld: tensors.has(.oldLogProbabilities))
        var entropies = ViewEntropies()
        var best = PerView<BestTokens?>(repeating: nil)
        var logProbabilities = PerView<TokenNumbers?>(repeating: nil)
        for view in [View.original, .removing] {
            let entropy = tensors.numbers(.entropy(view), isUsed: needs.entropies.contains(view))
            entropies.set(view, entropy)
            logProbabilities[view] = tensors.numbers(
                .logProbabilities(view), isUsed: needs.logProbabilities.contains(view))
            let needsBest = needs.entropies.contains(view) && entropy == nil
            let given = tensors.best(.best(view), realised: logProbabilities[view])
            if needsBest { best[view] = given }
            let reply = tensors.replies(view, needsBest: needsBest)
            if let reply {
                logProbabilities[view] = TokenNumbers(reply.logProbabilities)
                best[view] = reply.best
            }
            if needsBest, given == nil, reply == nil {
                tensors.addMissing(
                    .entropy(view),
                    "the entropy detector needs it, or \(view.rawValue).top_log_probs to bound it")
            }
            if needs.logProbabilities.contains(view), logProbabilities[view] == nil {
                tensors.addMissing(.logProbabilities(view), "required to measure the dependency")
            }
        }
        let old = tensors.numbers(.oldLogProbabilities)
        _ = tensors.tokenIDs(vocabulary: .max)
        let given = tensors.mask(.perceptionMask)
        tensors.checkPerceptionMask(loss.detector.method)
        if !MaskEndpoint.schema.guides.contains(where: tensors.has) {
            tensors.addMissing(.responseMask, "required if no other tensor determines the number of tokens")
        }
        let merits = tensors.merits(loss.gate.method, needsAdvantages: loss.gate.method.needsAdvantages)
        let isBounded = best.original != nil || best.removing != nil
        tensors.checkBounds(options.bounds, isUsed: isBounded)
        try tensors.faults.check()
        for view in View.allCases {
            guard let best = best[view] else { continue }
            let bounds = try best.bounds(
                vocabulary: options.bounds.vocabulary ?? 1, &tensors, context)
            entropies.set(view, bounds, options.bounds)
        }
        var batch = TokenBatch(tensors, merits)
        batch.entropies = entropies.values
        batch.logProbabilities = logProbabilities
        batch.oldLogProbabilities = old
        batch.perceptionMask = given
        return (batch, entropies, merits)
    }
}
