extension ServerConfiguration {
    /// - Throws: ``ServerError/invalidConfiguration(_:)`` with the first invalid value.
    func check() throws(ServerError) {
        let positive: [(String, Int)] = [
            ("ioThreads", ioThreads), ("workerThreads", workerThreads), ("maxConnections", maxConnections),
            ("maxHeaderBytes", maxHeaderBytes), ("maxTargetBytes", maxTargetBytes),
            ("minimumBytesPerSecond", minimumBytesPerSecond),
        ]
        for (name, value) in positive where value < 1 {
            throw .invalidConfiguration("\(name) is \(value) and must be at least 1")
        }
        let notNegative: [(String, Int)] = [
            ("workQueueLimit", workQueueLimit), ("maxBodyBytes", maxBodyBytes),
            ("memoryBudgetBytes", memoryBudgetBytes), ("discardBytes", discardBytes),
            ("lingerBytes", lingerBytes),
        ]
        for (name, value) in notNegative where value < 0 {
            throw .invalidConfiguration("\(name) is \(value) and must not be negative")
        }
        // With less memory the library cannot store its own answers.
        if connectionMemoryBytes < 4096 {
            throw .invalidConfiguration(
                "connectionMemoryBytes is \(connectionMemoryBytes) and must be at least 4096")
        }
        if tls != nil, !TLSIdentity.isSupported { throw .tls(.unsupported) }
        let times = [
            ("headerTimeout", headerTimeout), ("idleTimeout", idleTimeout), ("bodyDeadline", bodyDeadline),
            ("requestTimeout", requestTimeout),
        ]
        for (name, value) in times where value <= .zero {
            throw .invalidConfiguration("\(name) is \(value) and must be positive")
        }
    }
}
