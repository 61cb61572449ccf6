import CClientWheel

/// What archives and their records are checked by.
package enum Checksums {
    /// - Complexity: O(n).
    static func crc32(_ bytes: [UInt8]) -> UInt32 {
        unsafe bytes.withUnsafeBufferPointer { unsafe client_wheel_crc32($0.baseAddress, $0.count) }
    }

    /// 32 bytes (FIPS 180-4).
    /// - Complexity: O(n).
    package static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        let status = unsafe bytes.withUnsafeBufferPointer { input in
            unsafe digest.withUnsafeMutableBufferPointer { output in
                unsafe client_wheel_sha256(input.baseAddress, input.count, output.baseAddress)
            }
        }
        precondition(status == 0, "GnuTLS has no SHA-256: error \(status)")
        return digest
    }
}
