import Synchronization

/// The name under which a request appears in answers, logs and traces.
enum RequestID {
    /// 1…128 visible ASCII characters: safe in a header field, a log line and a shell.
    static func isValid(_ value: String) -> Bool {
        let bytes = value.utf8
        return (1...128).contains(bytes.count) && bytes.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// 32 hexadecimal digits: 64 random bits for this process, then a count. Unlike a UUID per request this asks
    /// the kernel for random bits only once.
    static func make() -> String {
        hexadecimal(process) + hexadecimal(count.wrappingAdd(1, ordering: .relaxed).newValue)
    }

    private static let process = UInt64.random(in: 1...UInt64.max)
    private static let count = Atomic<UInt64>(0)

    private static func hexadecimal(_ value: UInt64) -> String {
        unsafe String(unsafeUninitializedCapacity: 16) { digits in
            for index in 0..<16 {
                let nibble = UInt8(truncatingIfNeeded: value >> (60 - 4 * UInt64(index))) & 0xF
                unsafe digits[index] = nibble < 10 ? 0x30 + nibble : 0x57 + nibble
            }
            return 16
        }
    }
}

/// W3C Trace Context, level 1, section 3.2: `version-traceid-parentid-flags`, lowercase hexadecimal.
enum TraceParent {
    static func isValid(_ value: String) -> Bool {
        let parts = value.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0].count == 2, parts[1].count == 32, parts[2].count == 16,
            parts[3].count == 2
        else { return false }
        // Later versions may append fields; version 00 may not, and version ff is forbidden.
        if parts[0].elementsEqual("00".utf8), parts.count != 4 { return false }
        if parts[0].elementsEqual("ff".utf8) { return false }
        let zero = UInt8(ascii: "0")
        if parts[1].allSatisfy({ $0 == zero }) || parts[2].allSatisfy({ $0 == zero }) { return false }
        return parts[0..<4].allSatisfy { part in
            part.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        }
    }
}
