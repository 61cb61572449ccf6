import Glibc

/// The bytes of a file under `Tests/Golden`.
func goldenFile(_ path: String, from source: String = #filePath) -> [UInt8] {
    let folder = source.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(
        separator: "/")
    guard let file = unsafe fopen("\(folder)/Golden/\(path)", "rb") else { return [] }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = unsafe fread(&buffer, 1, buffer.count, file)
        guard count > 0 else { return bytes }
        bytes += buffer[..<count]
    }
}

/// A golden file of one JSON object a line, split into lines.
func goldenLines(_ path: String, from source: String = #filePath) -> [[UInt8]] {
    goldenFile(path, from: source).split(separator: UInt8(ascii: "\n")).map(Array.init)
}
