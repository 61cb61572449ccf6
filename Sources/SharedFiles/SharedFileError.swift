import Glibc

/// Why a file of the shared directory can't be used.
package enum SharedFileError: Error, Equatable, Sendable {
    /// Names are 1 to 200 of `A–Z a–z 0–9 . _ -` and don't start with a dot: no path can be said with them.
    case invalidName
    case noSuchFile
    /// A link, symbolic or hard, a folder, device, pipe or socket.
    case notARegularFile
    case permissionDenied
    /// The size changed between the request and its end, or a part was missing when it was read.
    case changed
    /// A file in memory with holes: so many of its bytes take no memory yet, and would when they are read, for good.
    case sparse(missing: Int)
    /// The file system has no room for so many bytes.
    case noSpace(bytes: Int)
    /// So many files are mapped that no further one can be; others will be given back.
    case tooManyMapped
    case system(call: String, number: CInt)

    init(_ call: String, _ number: CInt) {
        switch number {
        case ENOENT: self = .noSuchFile
        // O_NOFOLLOW says ELOOP of a link, ENXIO comes of a socket, EISDIR of a folder to write to.
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
