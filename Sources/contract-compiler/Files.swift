import Glibc

/// Whole files as text.
enum Files {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static func read(_ path: String) throws(Failure) -> String {
        guard let file = unsafe fopen(path, "r") else { throw Failure(description: "cannot be opened") }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe fread(&piece, 1, piece.count, file)
            if count == 0 { break }
            bytes += piece[..<count]
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(description: "is no UTF-8")
        }
        return text
    }

    static func write(_ text: String, to path: String) throws(Failure) {
        guard let file = unsafe fopen(path, "w") else {
            throw Failure(description: "cannot write \(path)")
        }
        let bytes = Array(text.utf8)
        let written = unsafe fwrite(bytes, 1, bytes.count, file)
        guard unsafe fclose(file) == 0, written == bytes.count else {
            throw Failure(description: "cannot write \(path)")
        }
    }
}
