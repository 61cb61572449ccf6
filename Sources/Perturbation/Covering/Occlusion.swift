package import Images
package import JSON

/// Covers rectangles with uniform RGB noise. Later ones cover earlier ones.
///
/// The noise is the byte stream of `noise_seed` (see `RandomStream`), continued from patch to patch: patch i takes the
/// next w·h·3 bytes as its [h, w, 3] samples. In NumPy:
///
///     z = mix(mix(seed) + GOLDEN * np.arange(1, count + 1, dtype=np.uint64)).view(np.uint8)
package struct Occlusion: PerturbationStep, Equatable {
    package static let name = "occlusion"
    package static let summary = "Covers rectangles with random noise."
    package static let parameters = [
        StepParameter(
            "patches",
            .list(
                of: "[x, y, width, height], integers",
                "0 … \(mostPatches) patches inside the picture, together at most \(largestCover) times its area"
            )),
        StepParameter("noise_seed", .seed),
    ]
    package static let identity: String? = "no patches"
    private static let mostPatches = 4096
    private static let largestCover = 64

    struct Patch: Sendable, Equatable {
        let x, y, width, height: Int

        var json: JSONValue { .array([x, y, width, height].map { .integer(Int64($0)) }) }
    }

    let patches: [Patch]
    let noiseSeed: Int64

    init(patches: [Patch], noiseSeed: Int64) {
        self.patches = patches
        self.noiseSeed = noiseSeed
    }

    package init(parameters: JSONValue) throws(StepError) {
        let reader = try ParameterReader(parameters, for: Self.self)
        let words = "a list of at most \(Self.mostPatches) patches [x, y, width, height]"
        var patches: [Patch] = []
        for (index, value) in try reader.list("patches", words, counts: 0...Self.mostPatches).enumerated() {
            patches.append(try Self.patch(value, path: "patches[\(index)]", reader))
        }
        self.patches = patches
        noiseSeed = try reader.seed("noise_seed")
    }

    private static func patch(
        _ value: JSONValue, path: String, _ reader: ParameterReader
    ) throws(StepError) -> Patch {
        let list = try reader.list(value, path: path, "a patch [x, y, width, height]", counts: 4...4)
        var numbers: [Int] = []
        for (index, number) in list.enumerated() {
            let least: Int64 = index < 2 ? 0 : 1
            numbers.append(
                Int(try reader.integer(number, path: "\(path)[\(index)]", in: least...Int64(Int32.max))))
        }
        return Patch(x: numbers[0], y: numbers[1], width: numbers[2], height: numbers[3])
    }

    package var json: JSONValue {
        [
            "step": .string(Self.name), "patches": .array(patches.map(\.json)),
            "noise_seed": .integer(noiseSeed),
        ]
    }

    package func leavesUnchanged(_ size: PixelSize) -> Bool { patches.isEmpty }

    package func outputSize(for size: PixelSize) throws(StepError) -> PixelSize {
        var area = 0
        for (index, patch) in patches.enumerated() {
            guard patch.x + patch.width <= size.width, patch.y + patch.height <= size.height else {
                throw .doesNotFit(
                    step: Self.name, path: "patches[\(index)]",
                    detail:
                        "the patch at (\(patch.x), \(patch.y)) of \(patch.width) × \(patch.height) pixels "
                        + "reaches outside the picture of \(size) pixels")
            }
            area += patch.width * patch.height
        }
        guard area <= size.pixelCount * Self.largestCover else {
            throw .doesNotFit(
                step: Self.name, path: "patches",
                detail:
                    "the patches cover \(area) pixels in all, over \(Self.largestCover) times the picture's")
        }
        return size
    }

    package func demand(for size: PixelSize) -> WorkDemand {
        let covered = patches.reduce(0) { sum, patch in
            sum.plusSaturating(patch.width.timesSaturating(patch.height).plusSaturating(14 * patch.height))
        }
        let copied = WorkDemand.picture(size, operations: 5)
        return copied.costing(copied.operations.plusSaturating(covered.timesSaturating(3)))
    }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        _ = try outputSize(for: image.size)
        var samples = try image.copiedSamples(watch)
        var pixels = samples.mutableSpan
        var noise = NoiseBytes(RandomStream(seed: UInt64(noiseSeed)))
        for patch in patches {
            for row in patch.y..<(patch.y + patch.height) {
                let start = (row * image.width + patch.x) * 3
                for done in stride(from: 0, to: patch.width * 3, by: WorkWatch.band) {
                    let count = min(WorkWatch.band, patch.width * 3 - done)
                    try watch.goOn(16 + count)
                    noise.fill(&pixels, start + done..<(start + done + count))
                }
            }
        }
        return PixelImage(width: image.width, height: image.height, samples: samples)
    }
}

/// The bytes of a stream's words, lowest first.
private struct NoiseBytes {
    private var stream: RandomStream
    /// The rest of the last word, and its number of bytes.
    private var word: UInt64 = 0
    private var left = 0

    init(_ stream: RandomStream) { self.stream = stream }

    /// Writes the next bytes, in whole words where they fit.
    mutating func fill(_ bytes: inout MutableSpan<UInt8>, _ range: Range<Int>) {
        var place = range.lowerBound
        while place < range.upperBound, left > 0 { put(&bytes, &place) }
        unsafe bytes.withUnsafeMutableBytes { memory in
            while range.upperBound - place >= 8 {
                unsafe memory.storeBytes(of: stream.word().littleEndian, toByteOffset: place, as: UInt64.self)
                place += 8
            }
        }
        if place < range.upperBound {
            word = stream.word()
            left = 8
        }
        while place < range.upperBound { put(&bytes, &place) }
    }

    private mutating func put(_ bytes: inout MutableSpan<UInt8>, _ place: inout Int) {
        bytes[place] = UInt8(truncatingIfNeeded: word)
        word >>= 8
        left -= 1
        place += 1
    }
}
