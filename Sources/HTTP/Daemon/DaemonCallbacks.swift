import CMicroHTTPD
import Glibc
import HTTPTypes
import Locking

// The functions that libmicrohttpd calls on its I/O threads. A `Connection` belongs to the socket from the first
// notice to the last, a `Transaction` to the request from its complete header to its end.

func connectionChanged(
    _ context: UnsafeMutableRawPointer?, _ pointer: OpaquePointer?,
    _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ change: MHD_ConnectionNotificationCode
) {
    guard let core = unsafe core(context), let pointer = unsafe pointer, let slot = unsafe slot else {
        return
    }
    switch change {
    case .CONNECTION_NOTIFY_STARTED:
        let daemonConnection = unsafe DaemonConnection(pointer)
        let connection = Connection(
            socket: daemonConnection.socket, daemonConnection, canAnswerRaw: !core.isSecure, now: .now)
        core.connections.withLock { $0[ObjectIdentifier(connection)] = connection }
        unsafe slot.pointee = Unmanaged.passRetained(connection).toOpaque()
    case .CONNECTION_NOTIFY_CLOSED:
        guard let opaque = unsafe slot.pointee else { return }
        let connection = unsafe Unmanaged<Connection>.fromOpaque(opaque).takeRetainedValue()
        unsafe slot.pointee = nil
        if let socket = connection.closed() { core.lingering.keep(socket) }
        core.connections.withLock(waking: .everybody) { $0[ObjectIdentifier(connection)] = nil }
    @unknown default:
        return
    }
}

let libraryReported: MHD_LogCallback = { context, format, arguments in
    guard let context = unsafe context, let format = unsafe format, let arguments = unsafe arguments else {
        return
    }
    let log = unsafe Unmanaged<LibraryLog>.fromOpaque(context).takeUnretainedValue()
    log.add(unsafe LibraryLog.line(format, arguments))
}

/// Called when the request line is complete. The rest of the header may still be missing.
func requestLineArrived(
    _ context: UnsafeMutableRawPointer?, _ target: UnsafePointer<CChar>?, _ pointer: OpaquePointer?
) -> UnsafeMutableRawPointer? {
    guard let connection = unsafe connection(pointer) else { return nil }
    let bytes = unsafe target.map { target in
        unsafe Array(UnsafeRawBufferPointer(start: target, count: strlen(target)))
    }
    connection.requestLineArrived(bytes ?? [], now: .now)
    return nil
}

func handleRequest(
    _ context: UnsafeMutableRawPointer?, _ pointer: OpaquePointer?, _ url: UnsafePointer<CChar>?,
    _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?, _ upload: UnsafePointer<CChar>?,
    _ uploadSize: UnsafeMutablePointer<Int>?, _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let core = unsafe core(context), let pointer = unsafe pointer, let slot = unsafe slot,
        let uploadSize = unsafe uploadSize, let connection = unsafe connection(pointer)
    else { return .NO }
    let daemonConnection = unsafe DaemonConnection(pointer)
    guard let opaque = unsafe slot.pointee else {
        let line = unsafe RequestLine(method: method, url: url, version: version, target: connection.target)
        let (head, refusal) = line.head(daemonConnection, limits: core.configuration)
        let transaction = Transaction(head, on: connection, of: core, now: .now)
        unsafe slot.pointee = Unmanaged.passRetained(transaction).toOpaque()
        core.inFlight.withLock { $0 += 1 }
        return carryOut(transaction.begin(refusing: refusal), on: daemonConnection, core)
    }
    let transaction = unsafe Unmanaged<Transaction>.fromOpaque(opaque).takeUnretainedValue()
    guard unsafe uploadSize.pointee > 0 else {
        return carryOut(transaction.proceed(), on: daemonConnection, core)
    }
    let piece = unsafe UnsafeRawBufferPointer(start: upload, count: uploadSize.pointee)
    unsafe uploadSize.pointee = 0
    return carryOut(unsafe transaction.receive(piece.bytes), on: daemonConnection, core)
}

func requestCompleted(
    _ context: UnsafeMutableRawPointer?, _ pointer: OpaquePointer?,
    _ slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, _ code: MHD_RequestTerminationCode
) {
    guard let core = unsafe core(context), let slot = unsafe slot else { return }
    let serverStopped = code == .REQUEST_TERMINATED_DAEMON_SHUTDOWN
    guard let opaque = unsafe slot.pointee else {
        // The request ended before its header was complete: too slow, too large for the library, or abandoned.
        let connection = unsafe connection(pointer)
        let cut = connection?.requestEnded(now: .now)
        core.observer.requestFinished(
            Exchange(
                head: nil, route: nil, status: cut?.status,
                bytesIn: 0,
                bytesOut: 0,
                durations: .init(), ending: cut?.ending ?? (serverStopped ? .abandoned : .clientGone),
                client: connection?.client))
        return
    }
    unsafe slot.pointee = nil
    let transaction = unsafe Unmanaged<Transaction>.fromOpaque(opaque).takeRetainedValue()
    core.observer.requestFinished(
        transaction.end(completed: code == .REQUEST_TERMINATED_COMPLETED_OK, serverStopped: serverStopped))
    core.inFlight.withLock(waking: .everybody) { $0 -= 1 }
}

private func carryOut(_ step: Transaction.Step, on connection: DaemonConnection, _ core: ServerCore)
    -> MHD_Result
{
    switch step {
    case .goOn: return .YES
    case .close: return .NO
    case .reply(let response, let closing): return connection.queue(response, closing: closing) ? .YES : .NO
    case .stream(let response, let stream, let length, let closing):
        return connection.queue(response, then: stream, length: length, closing: closing) ? .YES : .NO
    case .suspend(let job, let workers, let expected, let refused):
        // Suspend first: the job may end at once, and would find nothing to resume.
        connection.suspend()
        if !workers.submit(expected: expected, job) { refused() }
        return .YES
    }
}

private func core(_ context: UnsafeMutableRawPointer?) -> ServerCore? {
    unsafe context.map { unsafe Unmanaged<ServerCore>.fromOpaque($0).takeUnretainedValue() }
}

private func connection(_ pointer: OpaquePointer?) -> Connection? {
    guard let pointer = unsafe pointer, let context = unsafe micro_httpd_connection_context(pointer) else {
        return nil
    }
    return unsafe Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue()
}
