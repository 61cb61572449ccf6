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

    /// - Parameter output: receives whole lines from several threads. Nil writes them to standard error; see
    ///   ``LogOutlet``.
    package init(
        label: String, level: Logger.Level, format: Format, output: (@Sendable ([UInt8]) -> Void)? = nil
    ) {
        self.label = label
        self.logLevel = level
        self.format = format
        self.output = output ?? LineLogHandler.standardError(label, format)
    }

    private static func standardError(_ label: String, _ format: Format) -> @Sendable ([UInt8]) -> Void {
        let outlet = LogOutlet(STDERR_FILENO)
        return { line in
            outlet.write(line) { lost in
                LineLogHandler.line(
                    label, format, .warning, "log lines were lost: nobody read them",
                    [(key: "lines", value: .stringConvertible(lost))])
            }
        }
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let given = event.metadata ?? [:]
        let fields = (metadata.isEmpty ? given : metadata.merging(given) { $1 }).sorted { $0.key < $1.key }
        output(LineLogHandler.line(label, format, event.level, "\(event.message)", fields))
    }

    private static func line(
        _ label: String, _ format: Format, _ level: Logger.Level, _ message: String,
        _ fields: [(key: String, value: Logger.MetadataValue)]
    ) -> [UInt8] {
        var line = LogLine()
        switch format {
        case .text:
            line.append(Timestamp.now)
            line.append(" \(level.rawValue.uppercased()) ")
            line.appendUnbroken(message)
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
            line.append(level.rawValue)
            line.append("\",\"logger\":")
            line.appendQuoted(label)
            line.append(",\"message\":")
            line.appendQuoted(message)
            for (key, value) in fields {
                line.append(",")
                line.appendQuoted(key)
                line.append(":")
                line.append(value)
            }
            line.append("}")
        }
        line.append("\n")
        return line.bytes
    }
}
