import Locking

/// The tokens that are taken: never none, and replaced as a whole while requests are checked against them.
package final class BearerTokens: Sendable {
    private let current: Monitor<[BearerToken]>

    /// - Precondition: there is one. Who needs none has no ``BearerTokens`` at all.
    package init(_ tokens: [BearerToken]) {
        precondition(!tokens.isEmpty, "no tokens would let nobody in")
        current = Monitor(tokens)
    }

    /// From now on these and no others; requests that are in already are not asked again.
    /// - Precondition: there is one.
    package func replace(with tokens: [BearerToken]) {
        precondition(!tokens.isEmpty, "no tokens would let nobody in")
        current.withLock { $0 = tokens }
    }

    /// Whether the text is one of them.
    ///
    /// Every byte of every token is looked at whatever was given, without a branch that depends on a difference: the time
    /// tells how many tokens there are and how long the guess was, not how near it came, to which of them, or how long
    /// they are.
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
            // A zero byte in the guess looks like the end of the token, so lengths are compared, too.
            let lengths = UInt64(bitPattern: Int64(count ^ token.count))
            var difference = UInt8(truncatingIfNeeded: (lengths | (0 &- lengths)) >> 63)
            for index in given.indices { difference |= given[index] ^ token.padded[index] }
            // 1 for no difference, else 0.
            found |= UInt8(truncatingIfNeeded: (UInt16(difference) &- 1) >> 15)
        }
        return found != 0
    }
}
