import Locking

/// The accepted tokens. There is always at least one. They are replaced as a whole while requests are checked against
/// them.
package final class BearerTokens: Sendable {
    private let current: Monitor<[BearerToken]>

    /// - Precondition: there is at least one token. A server that requires none has no ``BearerTokens``.
    package init(_ tokens: [BearerToken]) {
        precondition(!tokens.isEmpty, "no tokens would let nobody in")
        current = Monitor(tokens)
    }

    /// Accepts only these tokens from now on. Requests that were admitted are not checked again.
    /// - Precondition: there is at least one token.
    package func replace(with tokens: [BearerToken]) {
        precondition(!tokens.isEmpty, "no tokens would let nobody in")
        current.withLock { $0 = tokens }
    }

    /// Returns whether the text is an accepted token.
    ///
    /// The comparison reads every byte of every token, without a branch that depends on a difference. Its duration
    /// reveals the number of tokens and the length of the guess, but not how close the guess was, to which token, or
    /// how long the tokens are.
    /// - Complexity: O(tokens × longest allowed token). Allocates nothing.
    func accept(_ text: some Sequence<UInt8>) -> Bool {
        var given = InlineArray<512, UInt8>(repeating: 0)
        precondition(given.count == BearerToken.lengths.upperBound)
        var count = 0
        for byte in text {
            if count < given.count { given[count] = byte }
            count += 1
        }
        var found: UInt8 = 0
        for token in current.withLock({ $0 }) {
            // A zero byte in the guess looks like the end of the token, so the lengths are compared, too.
            let lengths = UInt64(bitPattern: Int64(count ^ token.count))
            var difference = UInt8(truncatingIfNeeded: (lengths | (0 &- lengths)) >> 63)
            for index in given.indices { difference |= given[index] ^ token.padded[index] }
            // 1 if there is no difference, otherwise 0.
            found |= UInt8(truncatingIfNeeded: (UInt16(difference) &- 1) >> 15)
        }
        return found != 0
    }
}
