package import HTTP
package import SharedFiles

/// What an operator chose that endpoints need to know; listed in /v1/info.
package struct ServiceSettings: Sendable {
    /// The limits that the server itself keeps.
    package var server: ServerConfiguration
    /// The longest body of which only a part is held at any time; what is held of it is bounded by
    /// ``ServerConfiguration/maxBodyBytes``.
    package var maxStreamedBodyBytes = 1 << 40
    /// Numbers as text take several times their size in memory, so JSON bodies have a limit of their own, never above
    /// that of other bodies.
    package var maxJSONBodyBytes: Int {
        get { min(jsonBodyBytes, server.maxBodyBytes) }
        set { jsonBodyBytes = newValue }
    }
    package var maxImagePixels = 50_000_000
    /// Names of runs that metrics keep apart; see ``RunName``.
    package var maxRuns = 64
    /// How many scored batches of each run are kept for viewers; nil for none at all.
    package var keepRecent: Int?
    /// What they and their histories may take together. It is no part of ``ServerConfiguration/memoryBudgetBytes``.
    package var keepRecentBytes = 64 << 20
    /// The least of that: histories of all runs, and a batch.
    package static let leastKeepRecentBytes = 8 << 20
    /// Names, lower case, by which browsers reach this server beside addresses and localhost.
    package var publicHosts: [String] = []
    /// What clients may show to be let in; nil when none is asked for.
    package var tokens: BearerTokens?
    /// Whether /metrics needs no token where everything else does.
    package var opensMetrics = false
    /// Where requests may name files instead of carrying bodies; nil for nowhere.
    package var sharedDirectory: SharedDirectory?

    private var jsonBodyBytes = 64 << 20

    package init(_ server: ServerConfiguration = ServerConfiguration()) {
        self.server = server
    }

    /// What balancers and orchestrators ask, which have no token, and say nothing but whether it is there.
    var openPaths: [String] { ["/healthz", "/readyz"] + (opensMetrics ? ["/metrics"] : []) }

    /// The service's own version; the contract has the same.
    package static let version = "0.2.0"
}
