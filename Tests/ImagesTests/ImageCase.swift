import Images
import JSON
import TestMaterial
import Testing

/// One line of the image golden files: a file, options, and what Pillow makes of it.
struct ImageCase: Sendable, CustomTestStringConvertible {
    let name: String
    let file: [UInt8]
    let options: DecodingOptions
    let expected: PixelImage

    var testDescription: String {
        "\(name), alpha \(options.alpha), orientation \(options.orientation), gray16 \(options.gray16)"
            + (options.allowTruncated ? ", truncated allowed" : "")
    }

    /// Whole files of every kind.
    static let all = read("cases.txt", files: "files.bin", samples: "samples.bin")

    /// Orientations wherever they may be, transparency, deep gray, damaged files.
    static let further = read(
        "further.txt", files: "further_files.bin", samples: "further_samples.bin")

    private static func read(_ cases: String, files: String, samples: String) -> [ImageCase] {
        let files = GoldenFolder.bytes(of: "images/\(files)")
        let samples = GoldenFolder.bytes(of: "images/\(samples)")
        return GoldenFolder.lines(of: "images/\(cases)").compactMap { line in
            guard let json = try? JSONValue(parsing: line),
                let name = json["name"]?.string,
                let range = json["file"]?.array?.compactMap({ $0.integer }).map(Int.init), range.count == 2,
                let alpha = json["alpha"]?.string.flatMap(DecodingOptions.Alpha.init),
                let orientation = json["orientation"]?.string.flatMap(DecodingOptions.Orientation.init),
                let gray16 = DecodingOptions.DeepGray(rawValue: json["gray16"]?.string ?? "clip"),
                let width = json["width"]?.integer.map(Int.init),
                let height = json["height"]?.integer.map(Int.init),
                let offset = json["samples"]?.integer.map(Int.init)
            else { return nil }
            return ImageCase(
                name: name, file: Array(files[range[0]..<(range[0] + range[1])]),
                options: DecodingOptions(
                    alpha: alpha, orientation: orientation, gray16: gray16,
                    allowTruncated: json["allow_truncated"]?.bool ?? false),
                expected: PixelImage(
                    width: width, height: height,
                    samples: Array(samples[offset..<(offset + width * height * 3)])))
        }
    }

    /// Each file once.
    static let files: [ImageCase] = {
        var seen: Set<[UInt8]> = []
        return all.filter { seen.insert($0.file).inserted }
    }()

    static func named(_ name: String) -> ImageCase? { all.first { $0.name == name } }
}
