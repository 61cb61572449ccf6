package import HTTP
package import SharedFiles

/// The operator's settings that endpoints need; /v1/info lists them.
package struct ServiceSettings: Sendable {
    /// The limits that the HTTP module enforces.
    package var server: ServerConfiguration
    /// The longest body that is reduced as it arrives. ``ServerConfiguration/maxBodyBytes`` bounds the part that is
    /// held.
    package var maxStreamedBodyBytes = 1 << 40
    /// The longest JSON body. Numbers as text take several times their size in memory, so JSON has a limit of its
    /// own, never above that of other bodies.
    package var maxJSONBodyBytes: Int {
        get { min(jsonBodyBytes, server.maxBodyBytes) }
        set { jsonBodyBytes = newValue }
    }
    package var maxImagePixels = 50_000_000
    /// The number of run names that metrics distinguish; see ``RunName``.
    package var maxRuns = 64
    /// The number of scored batches to keep for viewers, for each run; nil for none.
    package var keepRecent: Int?
    /// The memory for kept batches and histories. It is not part of ``ServerConfiguration/memoryBudgetBytes``.
    package var keepRecentBytes = 64 << 20
    /// The minimum of that: histories of all runs, and one batch.
    package static let leastKeepRecentBytes = 8 << 20
    /// Lower-case names by which browsers reach this server, in addition to addresses and localhost.
    package var publicHosts: [String] = []
    /// The accepted bearer tokens; nil if the server requires none.
    package var tokens: BearerTokens?
    /// A Boolean value indicating whether /metrics needs no token.
    package var opensMetrics = false
    /// The directory in which requests may name files in place of bodies; nil for none.
    package var sharedDirectory: SharedDirectory?

    private var jsonBodyBytes = 64 << 20

    package init(_ server: ServerConfiguration = ServerConfiguration()) {
        self.server = server
    }

    /// The paths that balancers and orchestrators request without a token. They reveal only whether the server is
    /// there.
    var openPaths: [String] { ["/healthz", "/readyz"] + (opensMetrics ? ["/metrics"] : []) }

    /// The version of the service, equal to that of the contract.
    package static let version = "0.2.0"
}
