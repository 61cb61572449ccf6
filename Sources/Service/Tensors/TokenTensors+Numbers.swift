import Batches
import Tensor

extension TokenTensors {
    /// Reads a mask, 0 or 1 for each token. Values outside the response are ignored, except in the response mask
    /// itself. Without tokens, an absent mask counts as empty. Returns nil if the mask is absent or faulty, and an
    /// empty list while it is still to come.
    mutating func mask(_ spec: TensorSpec) -> [UInt8]? {
        if let nothing = nothing(spec) { return nothing.map { _ in 0 } }
        guard let tensor = fitting(spec) else { return nil }
        if tensor.isOutline { return [] }
        // Bytes are already a mask, unless one of them is wrong and must be named.
        if tensor.elementType.size == 1 {
            let bytes = tensor.bytes
            if bytes.reduce(0, |) <= 1 { return bytes }
        }
        // A token that is marked by neither counts as 1.
        var mask = [UInt8](repeating: 1, count: responseMask.count)
        let counts = self.mask(of: spec)
        var bad = 0
        for (token, value) in tensor.doubles().enumerated() {
            if value == 0 || value == 1 {
                mask[token] = UInt8(value)
            } else if bad < TokenTensors.listed, counts[token] == 1 {
                bad += 1
                faults.add(
                    .invalidValue,
                    layout.reason(
                        "not a mask", field: spec.name, token: token, expected: "0 or 1", found: "\(value)"))
            }
        }
        return mask
    }

    /// Reads one number for each token, finite inside the response and within its domain. Without tokens, an absent
    /// tensor counts as empty. Returns nil if the tensor is absent or faulty, and an empty list while it is still to
    /// come.
    ///
    /// - Parameter isUsed: whether anything is computed from the numbers. If not, only shape, type and finiteness are
    ///   checked.
    mutating func numbers(_ spec: TensorSpec, isUsed: Bool = true) -> TokenNumbers? {
        if let nothing = nothing(spec) { return TokenNumbers(nothing) }
        guard let tensor = fitting(spec) else { return nil }
        if tensor.isOutline { return [] }
        var values: TokenNumbers
        let extent: NumberExtent
        if let floats = tensor.floatsAndExtent() {
            values = TokenNumbers(floats: floats.bytes, start: floats.start, count: tensor.count)
            extent = floats.extent
        } else {
            let (doubles, found) = tensor.doublesAndExtent()
            values = TokenNumbers(doubles)
            extent = found
        }
        if !extent.isFinite { checkFinite(values, spec) }
        if isUsed { settle(&values, extent, spec, tensor.elementType) }
        return values
    }

    private mutating func checkFinite(_ values: TokenNumbers, _ spec: TensorSpec) {
        let counts = mask(of: spec)
        var bad = 0
        for token in values.indices where !values[token].isFinite && counts[token] == 1 {
            bad += 1
            guard bad <= TokenTensors.listed else { return }
            faults.add(
                .nonFiniteValue,
                layout.reason(
                    "not finite inside the response", field: spec.name, token: token,
                    expected: "a finite number", found: "\(values[token])"))
        }
    }

    /// Refuses numbers outside their domain, and accepts those that only rounding has put there.
    private mutating func settle(
        _ values: inout TokenNumbers, _ extent: NumberExtent, _ spec: TensorSpec, _ type: ElementType
    ) {
        let sign: Double
        switch spec.domain {
        case .any: return
        case .entropy: sign = -1
        case .logProbability: sign = 1
        }
        guard sign < 0 ? extent.least < 0 : extent.largest > 0 else { return }
        let tolerance = Residues.tolerance(type)
        let counts = mask(of: spec)
        var bad = 0
        for token in values.indices where counts[token] == 1 && values[token] * sign > 0 {
            if values[token] * sign <= tolerance {
                residues.count(spec.domain)
                if spec.domain == .entropy { values[token] = 0 }
            } else if bad < TokenTensors.listed, values[token].isFinite {
                bad += 1
                faults.add(
                    .invalidValue,
                    layout.reason(
                        spec.domain == .entropy ? "an entropy below 0" : "a log-probability above 0",
                        field: spec.name, token: token,
                        expected: spec.domain == .entropy ? "≥ −\(tolerance)" : "≤ \(tolerance)",
                        found: "\(values[token])"))
            }
        }
    }
}
