/// The generator behind every draw and every noise byte: SplitMix64 (Steele, Lea, Flood 2014), read as a function of
/// a counter. It is part of the service's contract and never changes.
///
/// All arithmetic is on unsigned 64-bit integers that wrap around:
///
///     GOLDEN = 0x9E3779B97F4A7C15
///     mix(z):  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9
///              z = (z ^ z >> 27) * 0x94D049BB133111EB
///              return z ^ z >> 31
///     word n of the stream that begins at `start` (n = 0, 1, 2 …) = mix(start + (n + 1) * GOLDEN)
///
/// In NumPy all words at once: `mix(start + GOLDEN * np.arange(1, count + 1, dtype=np.uint64))`.
///
/// - An integer from 0 to n − 1 takes one word: the high 64 bits of word × n, in Python `word * n >> 64`.
/// - A number in 0 ..< 1 takes one word: `(word >> 11) * 2.0**-53`.
/// - Bytes are the words' bytes, lowest first: `words.view("<u8").view(np.uint8)`.
struct RandomStream: Sendable, Equatable {
    private static let golden: UInt64 = 0x9E37_79B9_7F4A_7C15
    private var state: UInt64

    init(start: UInt64) { state = start }

    /// The stream of a noise seed: `start` = mix(seed).
    init(seed: UInt64) { self.init(start: Self.mix(seed)) }

    /// The stream of a draw: `start` = mix(mix(seed) ^ FNV-1a(text)), where the 64-bit FNV-1a hash is taken over the
    /// UTF-8 bytes of `recipe`, one zero byte, the picture's key, one zero byte, and the variant in decimal.
    init(seed: Seed, recipe: String, key: ImageKey, variant: Int) {
        let text = Array(recipe.utf8) + [0] + Array(key.text.utf8) + [0] + Array(String(variant).utf8)
        let hash = text.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
        self.init(start: Self.mix(Self.mix(UInt64(seed.value)) ^ hash))
    }

    mutating func word() -> UInt64 {
        state &+= Self.golden
        return Self.mix(state)
    }

    /// An integer in `range`, each as likely as the other to within one in 2⁶⁴ ÷ range.count. Takes one word.
    mutating func integer(in range: ClosedRange<Int>) -> Int {
        let count = UInt64(range.upperBound - range.lowerBound) + 1
        return range.lowerBound + Int(word().multipliedFullWidth(by: count).high)
    }

    /// A decimal k / 10,000 with k an integer in `range`: few digits to read, and the same Double everywhere because
    /// one division of integers rounds the same everywhere. Takes one word.
    mutating func tenThousandths(in range: ClosedRange<Int>) -> Double {
        Double(integer(in: range)) / 10_000
    }

    /// A number from 0 up to, not including, 1: the word's upper 53 bits · 2⁻⁵³. Takes one word.
    mutating func unitInterval() -> Double { Double(word() >> 11) * 0x1p-53 }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z &>> 31)
    }
}
