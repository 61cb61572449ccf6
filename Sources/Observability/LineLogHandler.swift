import Glibc
package import Logging

/// Writes log records to standard error, one line each: as a JSON object, or as text for people.
package struct LineLogHandler: LogHandler {
    package enum Format: String, Sendable, CaseIterable {
        case json
        case text
    }

    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let label: String
    private let format: Format
    private let output: @Sendable ([UInt8]) -> Void

    /// - Parameter output: takes whole lines, from several threads; nil writes them to standard error.
    package init(
        label: String, level: Logger.Level, format: Format, output: (@Sendable ([UInt8]) -> Void)? = nil
    ) {
        self.label = label
        self.logLevel = level
        self.format = format
        self.output = output ?? writeToStandardError
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let now = Timestamp.now
        var line: String
        switch format {
        case .text:
            line = "\(now) \(event.level.rawValue.uppercased()) \(unbroken("\(event.message)"))"
            for (key, value) in fields { line += " \(key)=\(word("\(value)"))" }
        case .json:
            line = "{\"time\":\"\(now)\",\"level\":\"\(event.level.rawValue)\",\"logger\":\(quoted(label))"
            line += ",\"message\":\(quoted("\(event.message)"))"
            for (key, value) in fields { line += ",\(quoted(key)):\(value.json)" }
            line += "}"
        }
        line += "\n"
        output(Array(line.utf8))
    }
}

extension Logger.MetadataValue {
    /// Numbers and truth values stay what they are, so that a log store can compare and add them up.
    fileprivate var json: String {
        switch self {
        case .string(let text): quoted(text)
        case .stringConvertible(let value):
            switch value {
            case let number as any BinaryInteger: "\(number)"
            case let number as Double: number.isFinite ? "\(number)" : quoted("\(number)")
            case let truth as Bool: truth ? "true" : "false"
            default: quoted("\(value)")
            }
        case .array(let values): "[" + values.map(\.json).joined(separator: ",") + "]"
        case .dictionary(let members):
            "{"
                + members.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\($0.value.json)" }
                .joined(separator: ",") + "}"
        }
    }
}

/// One write for each line keeps lines of several threads whole. A log that can't be written has nowhere to complain to.
private func writeToStandardError(_ line: [UInt8]) {
    _ = unsafe line.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

/// A JSON string (RFC 8259, section 7). What may end a line or steer a terminal is replaced: it would forge records.
private func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in unbroken(text).unicodeScalars {
        if scalar == "\"" || scalar == "\\" { result += "\\" }
        result.unicodeScalars.append(scalar)
    }
    return result + "\""
}

/// A text value; in quotes where it would else look like several.
private func word(_ text: String) -> String {
    let isPlain =
        !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0 != "\"" && $0 != "=" }
    return isPlain ? unbroken(text) : quoted(text)
}

private func unbroken(_ text: String) -> String {
    func breaks(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar == "\u{2028}"
            || scalar == "\u{2029}"
    }
    guard text.unicodeScalars.contains(where: breaks) else { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { result.append(breaks(scalar) ? " " : scalar) }
    return String(result)
}
