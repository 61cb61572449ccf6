/// What each place of one output axis takes from the input axis, as Pillow's bilinear `resize` (libImaging/Resample.c)
/// weighs it.
struct ResamplingWeights {
    /// Behind the point of the fixed-point weights.
    static let bits: Int32 = 32 - 8 - 2

    /// First input place per output place, and how many from there.
    let starts: [Int64]
    let counts: [Int64]
    /// `most` per output place, in fixed point.
    let values: [Int32]
    let most: Int

    /// Triangles of half width max(1, scale) about (i + ½) · scale, cut at the ends and normalised in Double.
    init(from input: Int, to output: Int) {
        let scale = Double(Float(input)) / Double(output)
        let support = max(scale, 1)
        let most = Int(support.rounded(.up)) * 2 + 1
        var (starts, counts) = ([Int64](), [Int64]())
        var values = [Int32](repeating: 0, count: output * most)
        for place in 0..<output {
            let centre = (Double(place) + 0.5) * scale
            let start = max(Int(centre - support + 0.5), 0)
            let count = min(Int(centre + support + 0.5), input) - start
            let triangle = (0..<count).map { index in
                let distance = ((Double(index + start) - centre + 0.5) * (1 / support)).magnitude
                return distance < 1 ? 1 - distance : 0
            }
            let sum = triangle.reduce(0, +)
            for (index, weight) in triangle.enumerated() {
                let share = sum == 0 ? weight : weight / sum
                values[place * most + index] = Int32(0.5 + share * Double(1 << Self.bits))
            }
            starts.append(Int64(start))
            counts.append(Int64(count))
        }
        (self.starts, self.counts, self.values, self.most) = (starts, counts, values, most)
    }
}
