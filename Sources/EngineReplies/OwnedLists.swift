import Glibc

/// Lists of likeliest tokens into which vLLM also wrote the realised token: first the realised one, then ranks 1…k. A
/// token among the k is written once, so a position has k or k + 1 entries.
struct OwnedLists {
    var lists = TopLists()
    /// The index of the realised token in its list; nil if there is no list or the order does not reveal it.
    var own: [Int?] = []

    /// The reply does not contain k, and ranks are unreliable, so both are inferred from the lists. A token that is
    /// likelier than another of its list is one of the k, because a token outside is the least of all. If it is unknown
    /// whether a least token is the k-th or outside, it counts as outside. Bounds are then still correct, but may be
    /// wider than necessary.
    func standings() -> [Standing] {
        let listed = (0..<lists.count).filter { lists.isPresent[$0] && own[$0] != nil }
        let lengths = listed.map { lists.entries(at: $0).count }
        let fewest = lengths.min() ?? 0
        let isTold = lengths.contains { $0 > fewest } || listed.contains { !isLeast(at: $0) }
        return (0..<lists.count).map { position in
            guard let own = own[position] else { return .unidentified }
            let entries = lists.entries(at: position)
            guard isLeast(at: position) else { return .listed }
            if isTold { return entries.count > fewest ? .outside(entry: own) : .listed }
            // For a single entry, k was 1 or 0. Only the likeliest token can be likelier than a half.
            if entries.count == 1, lists.logProbs[entries.lowerBound] >= -M_LN2 { return .listed }
            return .outside(entry: own)
        }
    }

    /// Returns whether no other entry is below the realised token's.
    private func isLeast(at position: Int) -> Bool {
        let entries = lists.entries(at: position)
        guard let own = own[position] else { return false }
        let logProb = lists.logProbs[entries.lowerBound + own]
        return entries.allSatisfy { lists.logProbs[$0] >= logProb }
    }
}
