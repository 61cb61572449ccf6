import Images
import Testing

@Suite("Decoding equals Pillow")
struct PillowParityTests {
    @Test("All golden cases are there")
    func allCases() {
        #expect(ImageCase.all.count == 356)
        #expect(ImageCase.further.count == 589)
    }

    @Test(
        "Orientations, transparency, deep gray and what is left of damaged files are Pillow's",
        arguments: ImageCase.further)
    func further(_ it: ImageCase) throws {
        let image = try decode(it.file, options: it.options)
        #expect(image.size == it.expected.size)
        #expect(image == it.expected)
    }

    @Test("Every sample of every kind of file is Pillow's", arguments: ImageCase.all)
    func sameSamples(_ it: ImageCase) throws {
        let image = try decode(it.file, options: it.options)
        #expect(image.size == it.expected.size)
        #expect(image == it.expected)
    }

    @Test("The header alone tells the size and format", arguments: ImageCase.all)
    func probing(_ it: ImageCase) throws {
        let header = try probe(it.file)
        #expect(header.format == (it.name.hasPrefix("png") ? .png : .jpeg))
        #expect(header.decodedBytes == it.expected.samples.count)
        if it.options.orientation == .ignore { #expect(header.size == it.expected.size) }
    }

    @Test("Tolerating damage changes nothing about whole files", arguments: ImageCase.all)
    func tolerant(_ it: ImageCase) throws {
        var options = it.options
        options.allowTruncated = true
        #expect(try decode(it.file, options: options) == it.expected)
    }
}
