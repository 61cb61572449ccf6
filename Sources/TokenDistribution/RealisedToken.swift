/// What is known of a row's realised token beside the row's k best log-probabilities.
package enum RealisedToken: Sendable, Equatable {
    /// Nothing, or that it is one of the k best: no further token is known.
    case listed
    /// Its id is not among the k best: a further known token.
    case outside(logProb: Double)
    /// Its log-probability and no ids. It counts as one of the k best when it equals one of them within
    /// ``tolerance``, as a further known token when it lies below all of them.
    case unidentified(logProb: Double)

    /// Two log-probabilities of one token, computed or rounded apart, differ by no more than this.
    package static let tolerance = 1e-4
}
