package import SharedFiles

/// What an operator chose that endpoints need to know; listed in /v1/info.
package struct ServiceSettings: Sendable {
    package var maxBodyBytes: Int
    /// The longest body of which only a part is held at any time; what is held of it is bounded by the limit above.
    package var maxStreamedBodyBytes: Int
    /// Numbers as text take several times their size in memory, so JSON bodies have a limit of their own.
    package var maxJSONBodyBytes: Int
    package var memoryBudgetBytes: Int
    package var maxImagePixels: Int
    package var maxConnections: Int
    package var queueLimit: Int
    package var threads: Int
    /// Names of runs that metrics keep apart; see ``RunName``.
    package var maxRuns: Int
    /// Accepted bearer tokens; empty for none needed.
    package var tokens: [String]
    /// Where requests may name files instead of carrying bodies; nil for nowhere.
    package var sharedDirectory: SharedDirectory?
    /// Whether clients come over TLS.
    package var speaksTLS = false

    package init(
        maxBodyBytes: Int = 1 << 30, maxStreamedBodyBytes: Int = 1 << 40,
        maxJSONBodyBytes: Int = 64 << 20, memoryBudgetBytes: Int = 4 << 30,
        maxImagePixels: Int = 50_000_000,
        maxConnections: Int = 10_000, queueLimit: Int = 256, threads: Int = 1, maxRuns: Int = 64,
        tokens: [String] = []
    ) {
        self.maxBodyBytes = maxBodyBytes
        self.maxStreamedBodyBytes = maxStreamedBodyBytes
        self.maxJSONBodyBytes = min(maxJSONBodyBytes, maxBodyBytes)
        self.memoryBudgetBytes = memoryBudgetBytes
        self.maxImagePixels = maxImagePixels
        self.maxConnections = maxConnections
        self.queueLimit = queueLimit
        self.threads = threads
        self.maxRuns = maxRuns
        self.tokens = tokens
    }

    /// The service's own version; the contract has the same.
    package static let version = "0.1.0"
}
