import ContrastiveLoss
import JSON
import Perception

/// Puts a loss report into the words of the contract.
struct ScoreReply {
    let report: LossReport
    let tensors: TokenTensors
    let options: ScoreOptions
    /// Those of logits; nil when none are returned.
    let gradients: LogitGradients?

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
        if case .logProbabilities(let gradients) = report.gradient {
            for view in View.allCases {
                let output = ScoreOutput.gradient(of: view, logits: false)
                if options.returned.contains(output) { reply.add(output.rawValue, gradients[view]) }
            }
        }
        if options.returned.contains(.gradientRows) {
            reply.add(
                ScoreOutput.gradientRows.rawValue,
                rowNumbers: report.mask.indices.filter { report.mask[$0] == 1 })
        }
        guard let gradients else { return }
        reply.add(
            gradients,
            as: View.allCases.filter(options.gradientViews.contains).map {
                ($0, ScoreOutput.gradient(of: $0, logits: true).rawValue)
            })
    }
}
