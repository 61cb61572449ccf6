import Tensor
import Testing

@Suite("The start of a safetensors file, in pieces")
struct SafetensorsPrefixTests {
    private let file = RawFile(
        "{\(RawFile.entry("b", "[2,1]", 3, 5)),\(RawFile.entry("a", "[3]", 0, 3)),\(RawFile.entry("e", "[0,9]", 5, 5))}   ",
        data: 5)

    private func read(_ bytes: [UInt8], cut: [Int], fileLength: Int?) throws(SafetensorsError)
        -> (taken: Int, SafetensorsLayout?)
    {
        var prefix = SafetensorsPrefix(fileLength: fileLength)
        let span = unsafe bytes.span.bytes
        var start = 0
        var total = 0
        for end in cut + [bytes.count] {
            let (taken, layout) = try prefix.consume(span.extracting(start..<end))
            total += taken
            if let layout { return (total, layout) }
            start = end
        }
        return (total, nil)
    }

    @Test("Every cut gives the same layout and leaves the data alone", arguments: [true, false])
    func cuts(isSized: Bool) throws {
        let bytes = file.bytes
        let dataStart = bytes.count - 5
        for first in 0...bytes.count {
            for second in [first, (first + bytes.count) / 2, bytes.count] {
                let (taken, layout) = try read(
                    bytes, cut: [first, second], fileLength: isSized ? bytes.count : nil)
                let found = try #require(layout)
                #expect(taken == dataStart && found.dataStart == dataStart && found.dataBytes == 5)
                #expect(found.entries.map(\.name) == ["a", "b", "e"])
                #expect(found.entries.map(\.data) == [0..<3, 3..<5, 5..<5])
            }
        }
    }

    @Test("What the file's length rules out is refused with the header, else when it ends")
    func lengths() throws {
        let bytes = file.bytes
        let header = Array(bytes.dropLast(5))
        for length in [bytes.count - 1, bytes.count + 1] {
            #expect(throws: SafetensorsError.self) { try read(header, cut: [], fileLength: length) }
            let layout = try #require(try read(header, cut: [], fileLength: nil).1)
            #expect(throws: SafetensorsError.self) { try layout.check(available: length - header.count) }
            try layout.check(available: 5)
        }
    }

    @Test("A header above the reader's limit is refused at its length")
    func limit() {
        var prefix = SafetensorsPrefix(fileLength: nil, limit: 10)
        let length: [UInt8] = [11, 0, 0, 0, 0, 0, 0, 0]
        let error = #expect(throws: SafetensorsError.self) { try prefix.consume(unsafe length.span.bytes) }
        #expect(error?.reason == .headerAboveLimit(declared: 11, limit: 10))
    }
}
