import Glibc
import Locking

/// Messages of libmicrohttpd: why it does not start, and later which connections violated TLS.
final class LibraryLog: Sendable {
    private let observer: any ServerObserver
    /// Lines kept until the library runs. Later ones are passed on.
    private let early = Monitor<[String]?>([])

    init(for observer: any ServerObserver) {
        self.observer = observer
    }

    /// Returns the lines so far. Later ones go to the observer.
    func takeEarlyLines() -> [String] {
        early.withLock { lines in
            defer { lines = nil }
            return lines ?? []
        }
    }

    /// Called on any of the library's threads.
    func add(_ line: String) {
        let wasKept = early.withLock { lines in
            lines?.append(line)
            return lines != nil
        }
        if !wasKept { observer.libraryReported(line) }
    }

    /// The library's messages are shorter.
    private static let longest = 512

    /// Formats as `printf` does, without the line break.
    static func line(_ format: UnsafePointer<CChar>, _ arguments: CVaListPointer) -> String {
        var text = [CChar](repeating: 0, count: longest)
        unsafe vsnprintf(&text, text.count, format, arguments)
        let bytes = text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
        return String(
            String(decoding: bytes, as: UTF8.self).drop(while: \.isNewline).prefix { !$0.isNewline })
    }
}
