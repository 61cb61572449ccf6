import Tensor

/// A safetensors file written by hand, lies included.
struct RawFile {
    var header: String
    var data: [UInt8] = []
    /// What the first eight bytes claim; nil for the truth.
    var claimedLength: UInt64?

    init(_ header: String, data: Int = 0, claimedLength: UInt64? = nil) {
        self.header = header
        self.data = (0..<data).map { UInt8(truncatingIfNeeded: $0) }
        self.claimedLength = claimedLength
    }

    var bytes: [UInt8] {
        let length = claimedLength ?? UInt64(header.utf8.count)
        return stride(from: 0, to: 64, by: 8).map { UInt8(truncatingIfNeeded: length >> UInt64($0)) }
            + Array(header.utf8) + data
    }

    func parsed() throws(SafetensorsError) -> Safetensors { try Safetensors(parsing: bytes) }

    /// One entry of a header.
    static func entry(_ name: String, _ shape: String, _ begin: Int, _ end: Int, type: String = "U8")
        -> String
    {
        "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(begin),\(end)]}"
    }
}
