import Glibc

/// The reason why a file of the shared directory cannot be used.
package enum SharedFileError: Error, Equatable, Sendable {
    /// The name is invalid. Names are 1 to 200 of `A–Z a–z 0–9 . _ -` and do not start with a dot, so they cannot form
    /// paths.
    case invalidName
    case noSuchFile
    /// The file is a symbolic or hard link, a folder, device, pipe or socket.
    case notARegularFile
    case permissionDenied
    /// The file changed during the request, or bytes were missing when it was read.
    case changed
    /// The file is in memory and has holes. This number of bytes is not allocated, and reading them would allocate them
    /// permanently.
    case sparse(missing: Int)
    /// The file system has no space for this number of bytes.
    case noSpace(bytes: Int)
    /// Too many files are mapped. Others will be unmapped.
    case tooManyMapped
    case system(call: String, number: CInt)

    init(_ call: String, _ number: CInt) {
        switch number {
        case ENOENT: self = .noSuchFile
        // With O_NOFOLLOW a link yields ELOOP. A socket yields ENXIO, and a folder opened for writing EISDIR.
        case ELOOP, ENXIO, EISDIR, ENODEV: self = .notARegularFile
        case EACCES, EPERM, EROFS: self = .permissionDenied
        case ENFILE, EMFILE, ENOMEM: self = .tooManyMapped
        default: self = .system(call: call, number: number)
        }
    }
}

extension SharedFileError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .invalidName: "not a file name"
        case .noSuchFile: "it does not exist"
        case .notARegularFile: "it is not of the right kind"
        case .permissionDenied: "permission denied"
        case .changed: "it changed"
        case .sparse(let missing): "\(missing) bytes of it are holes"
        case .noSpace(let bytes): "no room for \(bytes) bytes"
        case .tooManyMapped: "too many open files"
        case .system(let call, let number): "\(call) failed with error \(number)"
        }
    }
}
