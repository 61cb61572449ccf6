import Glibc

/// Returns whether a JSON text names a member "reply" anywhere. Such a text may take more memory to read than numbers
/// do.
///
/// Quotes are rare in bodies of numbers, so this runs at the speed of memchr.
/// - Complexity: O(bytes)
func mentionsReply(_ text: [UInt8]) -> Bool {
    let name = Array("\"reply\"".utf8)
    return unsafe text.withUnsafeBytes { bytes in
        guard let start = bytes.baseAddress else { return false }
        var position = 0
        while position + name.count <= bytes.count,
            let quote = unsafe memchr(start + position, Int32(name[0]), bytes.count - position)
        {
            position = unsafe UnsafeRawPointer(quote) - start
            guard position + name.count <= bytes.count else { return false }
            if unsafe memcmp(quote, name, name.count) == 0 { return true }
            position += 1
        }
        return false
    }
}
