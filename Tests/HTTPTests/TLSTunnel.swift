import Glibc
import Testing

@testable import HTTP

/// A certificate of the tests' own, made by OpenSSL's command and gone with this object.
final class TLSMaterial {
    let certificate: TemporaryPath
    let key: TemporaryPath

    init() throws {
        certificate = try TemporaryPath()
        key = try TemporaryPath()
        let made = try OpenSSL(
            "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "2",
            "-subj", "/CN=localhost", "-out", certificate.path, "-keyout", key.path)
        try #require(made.waitForEnd() == 0)
    }

    func identity() throws -> TLSIdentity {
        try TLSIdentity(certificateFile: certificate.path, keyFile: key.path)
    }
}

/// The `openssl` command, its standard input and output one socket.
final class OpenSSL {
    /// The caller's end.
    let socket: Int32
    private var process: pid_t = 0
    private let errors: TemporaryPath

    init(_ arguments: String...) throws {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        try #require(unsafe socketpair(AF_UNIX, type, 0, &ends) == 0)
        socket = ends[0]
        errors = try TemporaryPath()
        var files = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&files)
        defer { unsafe posix_spawn_file_actions_destroy(&files) }
        unsafe posix_spawn_file_actions_adddup2(&files, ends[1], STDIN_FILENO)
        unsafe posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO)
        unsafe posix_spawn_file_actions_addopen(&files, STDERR_FILENO, errors.path, O_WRONLY | O_CREAT, 0o600)
        var words = unsafe (["openssl"] + arguments).map { unsafe strdup($0) } + [nil]
        defer { unsafe words.forEach { unsafe free($0) } }
        let status = unsafe posix_spawnp(&process, "openssl", &files, nil, &words, environ)
        close(ends[1])
        try #require(status == 0, "openssl must be installed")
    }

    /// A client that speaks TLS to a server of this machine.
    static func tunnel(to server: Server) throws -> OpenSSL {
        try OpenSSL("s_client", "-quiet", "-connect", "127.0.0.1:\(try #require(server.port))")
    }

    deinit {
        if process > 0 {
            kill(process, SIGKILL)
            _ = waitForEnd()
        }
    }

    /// Whether something came from the server that is not TLS, as OpenSSL calls it. Ends the process.
    func sawPlainBytes() -> Bool {
        if process > 0 {
            kill(process, SIGKILL)
            _ = waitForEnd()
        }
        return errors.read().contains("wrong version number")
    }

    func waitForEnd() -> Int32 {
        var status: Int32 = -1
        unsafe waitpid(process, &status, 0)
        process = 0
        return status
    }
}
