import JSON
import Locking
import Logging
import Observability
import Testing

@Suite struct LineLogHandlerTests {
    private final class Lines: Sendable {
        private let bytes = Monitor<[UInt8]>([])

        var text: String { String(decoding: bytes.withLock { $0 }, as: UTF8.self) }

        func append(_ line: [UInt8]) { bytes.withLock { $0 += line } }
    }

    private func logged(
        _ format: LineLogHandler.Format, level: Logger.Level = .info, _ body: (Logger) -> Void
    ) -> String {
        let lines = Lines()
        let handler = LineLogHandler(label: "the \"label\"", level: level, format: format) {
            lines.append($0)
        }
        body(Logger(label: "test") { _ in handler })
        return lines.text
    }

    /// One object, whatever is in it.
    private func record(_ metadata: Logger.Metadata, message: Logger.Message = "m") throws -> JSONValue {
        let text = logged(.json) { $0.info(message, metadata: metadata) }
        #expect(text.hasSuffix("\n") && text.utf8.filter { $0 < 0x20 }.count == 1, "\(text)")
        return try JSONValue(parsing: text)
    }

    @Test func `a record is one JSON object with time, level, logger, message and its fields`() throws {
        let record = try record(["status": .stringConvertible(200), "path": "/v1/score"], message: "request")
        #expect(record.members?.map(\.name) == ["time", "level", "logger", "message", "path", "status"])
        #expect(
            record["time"]?.string?.wholeMatch(of: /20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d\.\d{3}Z/)
                != nil)
        #expect(record["level"] == "info" && record["logger"] == "the \"label\"")
        #expect(record["message"] == "request" && record["path"] == "/v1/score")
    }

    @Test func `numbers and truth values are not text, and what nests stays nested`() throws {
        let record = try record([
            "integer": .stringConvertible(-7), "double": .stringConvertible(0.125),
            "truth": .stringConvertible(true), "infinite": .stringConvertible(Double.infinity),
            "object": ["a": ["b", "c\""]],
        ])
        #expect(record["integer"] == -7 && record["double"] == 0.125 && record["truth"] == true)
        #expect(record["infinite"] == "inf")
        #expect(record["object"] == ["a": ["b", "c\""]])
    }

    @Test(arguments: [
        "\"}\n{\"level\":\"error\"", "a\u{0}b\u{1b}[31m", "\\", "\\\"", "\u{2028}\u{85}\u{7f}", "", "ü 🙂",
        "\r\n",
    ]) func `no value forges a record`(value: String) throws {
        let record = try record(["value": .string(value), "\(value)k": "v"], message: "\(value)")
        #expect(record.members?.count == 6)
        let unbroken = String(
            String.UnicodeScalarView(
                value.unicodeScalars.map {
                    $0.value < 0x20 || (0x7F...0x9F).contains($0.value) || $0 == "\u{2028}" ? " " : $0
                }))
        #expect(record["value"] == .string(unbroken) && record["message"] == .string(unbroken))
        let text = logged(.text) { $0.info("\(value)", metadata: ["value": .string(value)]) }
        #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count == 2, "\(text)")
    }

    @Test(arguments: [
        ("a\u{202e}txt.exe", "a<U+202E>txt.exe"), ("\u{2066}x\u{2069}", "<U+2066>x<U+2069>"),
        ("\u{200f}\u{200e}\u{61c}", "<U+200F><U+200E><U+61C>"),
        ("ab\u{200b}c\u{feff}", "ab<U+200B>c<U+FEFF>"),
        ("\u{e0041}\u{3164}\u{ad}", "<U+E0041><U+3164><U+AD>"),
        ("\u{5d0}ü 漢 e\u{301}", "\u{5d0}ü 漢 e\u{301}"),
    ]) func `what turns or hides text is written out, what is text stays`(value: String, shown: String) throws
    {
        let record = try record(["value": .string(value)], message: "\(value)")
        #expect(record["value"] == .string(shown) && record["message"] == .string(shown))
        let text = logged(.text) { $0.info("\(value)", metadata: ["value": .string(value)]) }
        let word = shown.contains(" ") ? "\"\(shown)\"" : shown
        #expect(text.hasSuffix(" INFO \(shown) value=\(word)\n"), "\(text)")
    }

    @Test func `text for people quotes what would look like several fields`() {
        let text = logged(.text) {
            $0.warning("busy", metadata: ["a": "plain", "b": "x y=z", "c": "", "n": .stringConvertible(3)])
        }
        #expect(text.hasSuffix(" WARNING busy a=plain b=\"x y=z\" c=\"\" n=3\n"), "\(text)")
    }

    @Test func `what is below the level is not written`() {
        #expect(logged(.json, level: .warning) { $0.info("no") } == "")
        #expect(logged(.json, level: .warning) { $0.error("yes") }.contains("\"level\":\"error\""))
    }
}
