import TestMaterial

import SharedFiles

extension TemporaryFolder {
    var directory: SharedDirectory { get throws { try SharedDirectory(path: path) } }
}

extension SharedFile {
    /// A copy of all its bytes.
    var contents: [UInt8] { withBytes { span in unsafe span.withUnsafeBytes { unsafe Array($0) } } }
}
