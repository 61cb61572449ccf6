import ForeignPictures
import Glibc
import Images
import JSON
import Perturbation

/// For every step, encoding and decoding on pictures of fifty megapixels, square and in strips: how long it takes beside what its
/// demand says, the longest time between two questions whether it is still wanted, and how soon it ends when its client leaves
/// in the middle; all in processor time.
///
///     swift run -c release step-benchmark [MEGAPIXELS [SHAPE, 0 … 2 [CONTENT]]]
@main
enum StepBenchmark {
    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        let pixels = (arguments.first.flatMap(Int.init) ?? 50) * 1_000_000
        let chosen = arguments.dropFirst().first.flatMap(Int.init)
        let content = arguments.dropFirst(2).first.flatMap(Workload.Content.init) ?? .noise
        let side = Int(Double(pixels).squareRoot())
        print(Measurement.heading)
        var all: [Measurement] = []
        for (shape, (width, height)) in [(side, side), (1, pixels), (pixels, 1)].enumerated()
        where chosen == nil || chosen == shape {
            let image = content.picture(width, height)
            try measureSteps(image, Workload.Content.flat.picture(1, pixels), &all)
            try measureCodecs(image, &all)
        }
        summarize(all)
    }

    private static func note(_ measurement: Measurement, _ all: inout [Measurement]) {
        print(measurement.row)
        // As soon as it is known.
        fflush(nil)
        all.append(measurement)
    }

    private static func measureSteps(
        _ image: PixelImage, _ other: PixelImage, _ all: inout [Measurement]
    ) throws {
        for text in Workload.steps + Workload.placed(image.width, image.height) {
            let step = try StepCatalogue.step(from: try JSONValue(parsing: Array(text.utf8)))
            guard (try? step.outputSize(for: image.size, among: { _ in other.size })) != nil else { continue }
            let operations = step.demand(for: image.size) { _ in other.size }.operations
            note(
                try Measurement(String(text.dropFirst(9).prefix(60)), image.size, operations: operations) {
                    _ = try step.apply(to: image, $0) { _ in other }
                }, &all)
        }
    }

    private static func measureCodecs(_ image: PixelImage, _ all: inout [Measurement]) throws {
        for encoding in Workload.encodings where encoding.flaw(for: image.size) == nil {
            var file: [UInt8] = []
            let operations = encoding.demand(for: image.size).operations
            note(
                try Measurement("\(encoding)", image.size, operations: operations) {
                    file = try image.encoded(as: encoding, $0)
                }, &all)
            try measureDecoding(file, "\(encoding)", &all)
        }
        if ImageEncoding.jpeg().flaw(for: image.size) == nil {
            for scans in [10, 99] {
                try measureDecoding(ForeignPicture.progressive(image, scans: scans), "\(scans) scans", &all)
            }
        }
        for depth in [8, 16] {
            let file = ForeignPicture.png(image, hasAlpha: true, depth: depth, isInterlaced: true)
            try measureDecoding(file, "interlaced PNG, RGBA of \(depth) bits", &all)
        }
    }

    /// Files whose decoder would take more memory than it may are left out.
    private static func measureDecoding(
        _ file: [UInt8], _ what: String, _ all: inout [Measurement]
    ) throws {
        guard let header = try? ImageHeader(probing: file.span) else { return }
        let operations = header.demand(of: file.span, DecodingOptions()).work.operations
        note(
            try Measurement("decoding \(what)", header.size, operations: operations) {
                _ = try PixelImage(decoding: file.span, $0)
            }, &all)
    }

    private static func summarize(_ all: [Measurement]) {
        let ratios = all.map(\.ratio).sorted()
        guard let least = ratios.first, let most = ratios.last else { return }
        let apart = all.filter { !(1.0 / 3...3).contains($0.ratio) }
        print(
            "\npredicted/measured from \(least) to \(most), median \(ratios[ratios.count / 2]);"
                + " beyond a factor of 3: \(apart.count) of \(all.count)")
        let silence = all.map(\.longestSilence).max() ?? .zero
        let leaving = all.map(\.leaving).max() ?? .zero
        print("longest without a question \(silence); latest end after a client left \(leaving)")
    }
}
