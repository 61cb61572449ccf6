import HTTP

extension ServerConfiguration {
    static let probeConnections = 128

    /// Returns the configuration of the probe port: few connections, no bodies, no computation, no TLS.
    static func forProbes(at address: SocketAddress, besides main: ServerConfiguration) -> ServerConfiguration
    {
        var configuration = ServerConfiguration()
        configuration.address = address
        configuration.serverName = main.serverName
        configuration.ioThreads = 1
        configuration.workerThreads = 1
        configuration.workQueueLimit = 0
        configuration.maxConnections = probeConnections
        configuration.maxBodyBytes = 0
        configuration.memoryBudgetBytes = 0
        configuration.discardBytes = 64 << 10
        configuration.lingerBytes = 1 << 20
        configuration.headerTimeout = .seconds(5)
        configuration.drainGrace = .seconds(1)
        return configuration
    }
}
