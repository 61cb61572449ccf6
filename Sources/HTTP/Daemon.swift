import CMicroHTTPD
import Glibc

/// libmicrohttpd's threads. They accept nothing by themselves; see ``Acceptor``.
///
/// Sendable because adding connections and stopping are allowed from any thread.
@safe
final class Daemon: @unchecked Sendable {
    private let pointer: OpaquePointer

    /// - Parameter core: must outlive ``stop()``; the callbacks refer to it without holding it.
    /// - Returns: nil when the system has no threads or file descriptors left.
    init?(serving core: ServerCore) {
        let configuration = core.configuration
        var settings = unsafe perception_daemon_settings(
            threads: UInt32(configuration.ioThreads),
            // Split over the threads and never to be reached: the acceptor keeps the real limit.
            connection_limit: UInt32(clamping: 2 * configuration.maxConnections + configuration.ioThreads),
            connection_memory: configuration.connectionMemoryBytes, stack_size: PosixThread.stackBytes,
            context: Unmanaged.passUnretained(core).toOpaque(), handle: handleRequest,
            request_completed: requestCompleted, connection_changed: connectionChanged,
            request_line: requestLineArrived)
        let started = unsafe PosixThread.withSignalsBlocked { unsafe perception_start_daemon(&settings) }
        guard let started = unsafe started else { return nil }
        unsafe pointer = started
    }

    /// Serves an accepted socket and closes it in the end, at once when there is no room.
    func add(_ socket: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) {
        unsafe MHD_add_connection(pointer, socket, address, length)
    }

    /// Ends all threads and closes all connections; none may be suspended. Call once, and nothing after it.
    func stop() {
        unsafe MHD_stop_daemon(pointer)
    }
}
