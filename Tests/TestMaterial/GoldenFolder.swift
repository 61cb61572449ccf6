import Glibc

/// The files under `Tests/Golden`. A file that is missing stops the tests: they must not pass for want of cases.
package enum GoldenFolder {
    private static let path =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2)
        .joined(separator: "/") + "/Golden/"

    /// The bytes of one file.
    package static func bytes(of name: String) -> [UInt8] {
        guard let stream = unsafe fopen(path + name, "rb") else {
            preconditionFailure("cannot open \(path)\(name)")
        }
        defer { unsafe fclose(stream) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe fread(&block, 1, block.count, stream)
            if count == 0 { return bytes }
            bytes += block[..<count]
        }
    }

    /// A file of one JSON object a line, split into lines.
    package static func lines(of name: String) -> [[UInt8]] {
        bytes(of: name).split(separator: UInt8(ascii: "\n")).map(Array.init)
    }

    /// The names of the files in one folder that end so, in order.
    package static func names(in folder: String, ending: String) -> [String] {
        guard let stream = unsafe opendir(path + folder) else {
            preconditionFailure("cannot list \(path)\(folder)")
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name.hasSuffix(ending) { names.append(name) }
        }
        return names.sorted()
    }
}
