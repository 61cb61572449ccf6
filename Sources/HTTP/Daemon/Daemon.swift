import CMicroHTTPD
import Glibc
import Parallelism

/// libmicrohttpd's I/O threads. They do not accept connections; ``Acceptor`` does.
///
/// Sendable because adding connections and stopping are allowed from any thread.
@safe
final class Daemon: @unchecked Sendable {
    private let pointer: OpaquePointer
    /// The library keeps an unowned reference to it.
    private let log: LibraryLog

    /// - Parameter core: must outlive ``stop()``, because the callbacks keep an unowned reference to it.
    init(serving core: ServerCore) throws(ServerError) {
        let configuration = core.configuration
        log = LibraryLog(for: core.observer)
        var settings = unsafe micro_httpd_daemon_settings(
            threads: UInt32(configuration.ioThreads),
            // The library divides this among the threads. It is never reached, because the acceptor enforces the real
            // limit.
            connection_limit: UInt32(clamping: 2 * configuration.maxConnections + configuration.ioThreads),
            connection_memory: configuration.connectionMemoryBytes, stack_size: PosixThread.stackBytes,
            context: Unmanaged.passUnretained(core).toOpaque(), handle: handleRequest,
            request_completed: requestCompleted, connection_changed: connectionChanged,
            request_line: requestLineArrived, log: libraryReported,
            log_context: Unmanaged.passUnretained(log).toOpaque(), certificate: nil, key: nil)
        let started = unsafe PosixThread.withSignalsBlocked {
            unsafe Self.start(&settings, configuration.tls)
        }
        let lines = log.takeEarlyLines()
        guard let started = unsafe started else {
            throw Self.error(configuration, lines)
        }
        unsafe pointer = started
    }

    private static func start(
        _ settings: inout micro_httpd_daemon_settings, _ identity: TLSIdentity?
    ) -> OpaquePointer? {
        guard let identity else { return unsafe micro_httpd_start_daemon(&settings) }
        // Read while it starts, and not afterwards.
        return unsafe identity.certificate.withUnsafeBufferPointer { certificate in
            unsafe identity.key.withUnsafeBufferPointer { key in
                unsafe settings.certificate = certificate.baseAddress
                unsafe settings.key = key.baseAddress
                return unsafe micro_httpd_start_daemon(&settings)
            }
        }
    }

    /// Distinguishes an invalid certificate from exhausted system resources by the library's log.
    private static func error(_ configuration: ServerConfiguration, _ lines: [String]) -> ServerError {
        let mark = "GnuTLS failed to setup x509 certificate/key: "
        guard let identity = configuration.tls, let line = lines.first(where: { $0.hasPrefix(mark) }) else {
            return .daemonNotStarted(configuration.address)
        }
        return .tls(
            .refused(
                certificate: identity.certificateFile, key: identity.keyFile,
                reason: String(line.dropFirst(mark.count))))
    }

    /// Serves an accepted socket and finally closes it, immediately if the library has no place for it.
    func add(_ socket: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) {
        unsafe MHD_add_connection(pointer, socket, address, length)
    }

    /// Ends all threads and closes all connections. No connection may be suspended. Call this once, and no other
    /// function afterwards.
    func stop() {
        unsafe MHD_stop_daemon(pointer)
    }
}
