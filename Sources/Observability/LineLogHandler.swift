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
        let given = event.metadata ?? [:]
        let fields = (metadata.isEmpty ? given : metadata.merging(given) { $1 }).sorted { $0.key < $1.key }
        var line = LogLine()
        switch format {
        case .text:
            line.append(Timestamp.now)
            line.append(" \(event.level.rawValue.uppercased()) ")
            line.appendUnbroken("\(event.message)")
            for (key, value) in fields {
                line.append(" ")
                line.appendWord(key)
                line.append("=")
                line.appendWord("\(value)")
            }
        case .json:
            line.append("{\"time\":\"")
            line.append(Timestamp.now)
            line.append("\",\"level\":\"")
            line.append(event.level.rawValue)
            line.append("\",\"logger\":")
            line.appendQuoted(label)
            line.append(",\"message\":")
            line.appendQuoted("\(event.message)")
            for (key, value) in fields {
                line.append(",")
                line.appendQuoted(key)
                line.append(":")
                line.append(value)
            }
            line.append("}")
        }
        line.append("\n")
        output(line.bytes)
    }
}

/// One write for each line keeps lines of several threads whole. A log that can't be written has nowhere to complain to.
private func writeToStandardError(_ line: [UInt8]) {
    _ = unsafe line.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
