package import CNumberLists

/// One number for each of N tokens, which reads as a Double however it is held.
///
/// Floats of a request's body stay where they arrived, and one number for a sequence stays one: a list of Doubles would take
/// two to two thousand times their memory, and the time to fill it. Setting an element makes it a list of Doubles.
package struct TokenNumbers: Sendable {
    private enum Storage: Sendable {
        case doubles([Double])
        /// Little-endian floats in shared bytes, from byte `start` on, at any alignment.
        case floats([UInt8], start: Int)
        /// One number for each sequence.
        case sequences([Double], Sequences)
    }

    private var storage: Storage
    /// N.
    package let count: Int

    package init(_ doubles: [Double]) {
        storage = .doubles(doubles)
        count = doubles.count
    }

    /// - Precondition: the bytes hold `count` floats from `start` on.
    package init(floats bytes: [UInt8], start: Int, count: Int) {
        precondition(start >= 0 && count >= 0 && start + count * MemoryLayout<Float>.size <= bytes.count)
        storage = .floats(bytes, start: start)
        self.count = count
    }

    /// - Parameter values: [B]
    package init(sequences values: [Double], _ sequences: Sequences) {
        precondition(values.count == sequences.count)
        storage = .sequences(values, sequences)
        count = sequences.tokens
    }

    /// - Complexity: O(N), but for numbers that are Doubles already.
    package var doubles: [Double] {
        switch storage {
        case .doubles(let values): return values
        case .floats(let bytes, let start):
            return unsafe [Double](unsafeUninitializedCapacity: count) { output, filled in
                unsafe bytes.withUnsafeBytes { bytes in
                    _ = unsafe number_lists_widen(
                        number_lists_f32, bytes.baseAddress.map { unsafe $0 + start }, count,
                        output.baseAddress)
                }
                filled = count
            }
        case .sequences(let values, let sequences):
            var tokens: [Double] = []
            tokens.reserveCapacity(count)
            for (sequence, value) in values.enumerated() {
                tokens.append(contentsOf: repeatElement(value, count: sequences[sequence].count))
            }
            return tokens
        }
    }

    /// The numbers of the sequences, where there is one for each.
    package var perSequence: (values: [Double], sequences: Sequences)? {
        if case .sequences(let values, let sequences) = storage { (values, sequences) } else { nil }
    }

    /// The same numbers without the rest of the body that they arrived in, to outlive their request.
    package var apart: TokenNumbers {
        guard case .floats(let bytes, let start) = storage else { return self }
        let own = Array(bytes[start..<start + count * MemoryLayout<Float>.size])
        return TokenNumbers(floats: own, start: 0, count: count)
    }

    /// Lends the numbers to C code, as Doubles or floats at any alignment. The pointer is null if there are no numbers.
    @unsafe
    package func withSource<Result>(_ body: (number_lists_source) -> Result) -> Result {
        if count == 0 { return unsafe body(number_lists_source(first: nil, are_floats: false)) }
        if case .floats(let bytes, let start) = storage {
            return unsafe bytes.withUnsafeBytes { bytes in
                let first = unsafe bytes.baseAddress.map { unsafe $0 + start }
                return unsafe body(number_lists_source(first: first, are_floats: true))
            }
        }
        return unsafe doubles.withUnsafeBytes {
            unsafe body(number_lists_source(first: $0.baseAddress, are_floats: false))
        }
    }
}

extension number_lists_source {
    /// Returns the list from number `count` on. A null pointer stays null.
    @unsafe
    package func advanced(by count: Int) -> number_lists_source {
        let size = unsafe are_floats ? MemoryLayout<Float>.size : MemoryLayout<Double>.size
        return unsafe number_lists_source(
            first: first.map { unsafe $0 + count * size }, are_floats: are_floats)
    }
}

extension TokenNumbers: RandomAccessCollection, MutableCollection, ExpressibleByArrayLiteral {
    package var startIndex: Int { 0 }
    package var endIndex: Int { count }

    package init(arrayLiteral numbers: Double...) { self.init(numbers) }

    package subscript(token: Int) -> Double {
        get {
            switch storage {
            case .doubles(let values): return values[token]
            case .floats(let bytes, let start):
                precondition(token >= 0 && token < count)
                let offset = start + token * MemoryLayout<Float>.size
                return unsafe Double(
                    bytes.span.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Float.self))
            case .sequences(let values, let sequences): return values[sequences.sequence(of: token)]
            }
        }
        set {
            if case .doubles(var values) = storage {
                // Held once, so that it is changed in place.
                storage = .doubles([])
                values[token] = newValue
                storage = .doubles(values)
                return
            }
            var values = doubles
            values[token] = newValue
            storage = .doubles(values)
        }
    }
}
