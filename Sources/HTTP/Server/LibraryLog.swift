import Glibc
import Locking

/// What libmicrohttpd says of its troubles: why it does not start, and later which connections broke a rule of TLS.
final class LibraryLog: Sendable {
    private let observer: any ServerObserver
    /// Kept until the library runs, then passed on.
    private let early = Monitor<[String]?>([])

    init(for observer: any ServerObserver) {
        self.observer = observer
    }

    /// The lines until now; further ones go to the observer.
    func takeEarlyLines() -> [String] {
        early.withLock { lines in
            defer { lines = nil }
            return lines ?? []
        }
    }

    /// On any of the library's threads.
    func add(_ line: String) {
        let wasKept = early.withLock { lines in
            lines?.append(line)
            return lines != nil
        }
        if !wasKept { observer.libraryReported(line) }
    }

    /// The library's own texts are shorter.
    private static let longest = 512

    /// What `printf` would print, without the line's end.
    static func line(_ format: UnsafePointer<CChar>, _ arguments: CVaListPointer) -> String {
        var text = [CChar](repeating: 0, count: longest)
        unsafe vsnprintf(&text, text.count, format, arguments)
        let bytes = text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
        return String(
            String(decoding: bytes, as: UTF8.self).drop(while: \.isNewline).prefix { !$0.isNewline })
    }
}
