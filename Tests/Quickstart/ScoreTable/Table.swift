import Glibc
import JSON
import Tensor

/// One line for each response token.
func table(_ recording: Recording, score: Safetensors, entropies: Safetensors) -> String {
    func column(_ file: Safetensors, _ name: String) -> [Double] { file.tensors[name]?.doubles() ?? [] }
    let original = column(entropies, "original.entropy")
    let removing = column(entropies, "removing.entropy")
    let delta = column(score, "delta_entropy")
    let perception = column(score, "perception_mask")
    let gate = column(score, "gate")
    let mask = column(score, "mask")
    let loss = column(score, "token_loss")

    var lines = ["  t  token  H original  H removing        ΔH  perception  gate  mask   token loss"]
    for token in recording.tokens.indices where recording.isResponse(token) {
        let cells = [
            padded("\(token)", 3), padded(recording.tokens[token], 5), padded(fixed(original[token], 4), 10),
            padded(fixed(removing[token], 4), 10), padded(fixed(delta[token], 4), 8),
            padded(sign(perception[token]), 10), padded(sign(gate[token]), 4), padded(sign(mask[token]), 4),
            padded(loss[token] < 1e-4 ? scientific(loss[token]) : fixed(loss[token], 6), 11),
        ]
        lines.append(cells.joined(separator: "  "))
    }
    return lines.joined(separator: "\n")
}

/// The text with its perception tokens marked, and the numbers of the whole sequence.
func summary(_ recording: Recording, score: Safetensors) throws -> String {
    let mask = score.tensors["mask"]?.doubles() ?? []
    let marked = recording.tokens.indices.filter(recording.isResponse).map { token in
        mask[token] == 1 ? "[\(recording.tokens[token])]" : recording.tokens[token]
    }.joined()
    let result = try JSONValue(parsing: score.metadata["result"] ?? "{}")
    func number(_ value: JSONValue?) -> String { value?.text ?? "–" }
    let counts = result["diagnostics"]
    return """

        \(recording.text)
        \(marked)
        [ ] = perception tokens that carry loss; ␣ = a space

        response tokens \(number(counts?["tokens"])), candidates \(number(counts?["candidates"])), \
        selected \(number(counts?["selected"])), after the gate \(number(counts?["gated"]))
        loss \(number(result["loss"])), times the coefficient \(number(result["weighted_loss"]))
        """
}

private func sign(_ value: Double) -> String { value == 1 ? "yes" : "·" }

private func padded(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}

/// A small number ≥ 0 as 1.2e-27.
private func scientific(_ value: Double) -> String {
    guard value > 0 else { return "0" }
    let exponent = Int(log10(value).rounded(.down))
    return "\(fixed(value / pow(10, Double(exponent)), 1))e\(exponent)"
}

/// A number with exactly `digits` decimals.
private func fixed(_ value: Double, _ digits: Int) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let units = Int((value.magnitude * scale).rounded())
    let fraction = String(units % Int(scale))
    let sign = value < 0 && units > 0 ? "-" : ""
    return "\(sign)\(units / Int(scale)).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
}
