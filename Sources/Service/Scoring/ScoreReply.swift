import ContrastiveLoss
import JSON
import Perception

/// Puts a loss report into the words of the contract.
struct ScoreReply {
    let report: LossReport
    let tensors: TokenTensors
    let options: ScoreOptions

    /// - Throws: `non-finite-value` for a result that no 32-bit float holds.
    var reply: TensorReply {
        get throws(Problem) {
            var reply = TensorReply(form: tensors.request.form, layout: tensors.layout)
            let weighted = report.aggregated.loss * options.loss.coefficient
            reply.addScalar("loss", report.aggregated.loss)
            reply.addScalar("weighted_loss", weighted)
            reply.addScalar("loss_numerator", report.aggregated.numerator)
            reply.addScalar("loss_denominator", report.aggregated.denominator)
            let source = Diagnostics.Source(
                responseMask: tensors.responseMask, detection: report.detection, mask: report.mask,
                detects: options.loss.detector.method == .entropy, loss: report)
            reply.setDiagnostics(source, rows: tensors.layout.rows, preset: options.preset.rawValue)
            reply.scalars.append(.init("options", ScoreOptions.table.echo(options)))
            addTokens(to: &reply)
            addGradients(to: &reply)
            try reply.check()
            return reply
        }
    }

    private func addTokens(to reply: inout TensorReply) {
        for output in ScoreOutput.allCases where options.returned.contains(output) {
            switch output {
            case .perceptionMask: reply.add(output.rawValue, masks: report.detection.mask)
            case .gate: reply.add(output.rawValue, masks: report.gate)
            case .mask: reply.add(output.rawValue, masks: report.mask)
            case .deltaEntropy: reply.add(output.rawValue, report.detection.deltaEntropy)
            case .perceptionScore: reply.add(output.rawValue, report.detection.score)
            case .tokenLoss: reply.add(output.rawValue, report.tokenLoss)
            case .gradientOriginalLogProbs, .gradientPreservingLogProbs, .gradientRemovingLogProbs,
                .gradientRows,
                .gradientOriginalLogits, .gradientPreservingLogits, .gradientRemovingLogits:
                break
            }
        }
    }

    private func addGradients(to reply: inout TensorReply) {
        switch report.gradient {
        case .logProbabilities(let gradients):
            for view in View.allCases {
                let output = ScoreOutput.gradient(of: view, logits: false)
                if options.returned.contains(output) { reply.add(output.rawValue, gradients[view]) }
            }
        case .divergences: break
        case .logits(let gradients):
            if options.returned.contains(.gradientRows) {
                reply.add(ScoreOutput.gradientRows.rawValue, rowNumbers: gradients.rows)
            }
            let filled = filled(gradients)
            for view in View.allCases {
                let output = ScoreOutput.gradient(of: view, logits: true)
                if options.returned.contains(output) {
                    reply.add(
                        output.rawValue, filled[view], rows: gradients.rows, width: gradients.vocabulary)
                }
            }
        }
    }

    /// The wanted views' gradients, [S,V] each; empty for the others.
    private func filled(_ gradients: LogitGradients) -> PerView<[Float]> {
        var filled = PerView<[Float]>(original: [], preserving: [], removing: [])
        func room(_ view: View) -> [Float] {
            let isWanted = options.returned.contains(.gradient(of: view, logits: true))
            return [Float](repeating: 0, count: isWanted ? gradients.vocabulary : 0)
        }
        var (a, p, n) = (room(.original), room(.preserving), room(.removing))
        for index in gradients.rows.indices {
            var original = a.mutableSpan
            var preserving = p.mutableSpan
            var removing = n.mutableSpan
            // What doesn't fit Float is refused when the tensor is added.
            _ = gradients.fill(index, original: &original, preserving: &preserving, removing: &removing)
            filled.original += a
            filled.preserving += p
            filled.removing += n
        }
        return filled
    }
}
