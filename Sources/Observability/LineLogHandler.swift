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

    package init(label: String, level: Logger.Level, format: Format) {
        self.label = label
        self.logLevel = level
        self.format = format
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        var line: String
        switch format {
        case .text:
            line = "\(timestamp()) \(event.level.rawValue.uppercased()) \(event.message)"
            for (key, value) in fields { line += " \(key)=\(value)" }
        case .json:
            line =
                "{\"time\":\"\(timestamp())\",\"level\":\"\(event.level.rawValue)\",\"logger\":\(quoted(label))"
            line += ",\"message\":\(quoted("\(event.message)"))"
            for (key, value) in fields { line += ",\(quoted(key)):\(quoted("\(value)"))" }
            line += "}"
        }
        // Line breaks in a value would forge records.
        let bytes = line.utf8.map { $0 < 0x20 ? UInt8(ascii: " ") : $0 } + [UInt8(ascii: "\n")]
        // One write for each line keeps lines of several threads whole. A log that can't be written has nowhere to
        // complain to.
        _ = unsafe bytes.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

private func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case _ where scalar.value < 0x20: result += " "
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}

/// UTC, RFC 3339, milliseconds.
private func timestamp() -> String {
    var now = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    var calendar = unsafe tm()
    unsafe gmtime_r(&now.tv_sec, &calendar)
    func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let (year, month, day) = unsafe (calendar.tm_year, calendar.tm_mon, calendar.tm_mday)
    let (hour, minute, second) = unsafe (calendar.tm_hour, calendar.tm_min, calendar.tm_sec)
    let date = "\(year + 1900)-\(padded(Int(month) + 1, 2))-\(padded(Int(day), 2))"
    let time = "\(padded(Int(hour), 2)):\(padded(Int(minute), 2)):\(padded(Int(second), 2))"
    return "\(date)T\(time).\(padded(now.tv_nsec / 1_000_000, 3))Z"
}
