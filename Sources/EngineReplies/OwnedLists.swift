import Glibc

/// Lists of likeliest tokens in which vLLM wrote the realised token too: first, then ranks 1…k. A token among the k is
/// written once, so a position has k entries or k + 1.
struct OwnedLists {
    var lists = TopLists()
    /// The realised token's place in its list; nil where there is no list or the order doesn't tell.
    var own: [Int?] = []

    /// The reply doesn't say what k was, nor may a rank be relied on, so both are found from what the lists have in
    /// common: a token that is likelier than another of its list is one of the k, for one outside is the least of all.
    /// Where nothing tells whether a least token is the k-th or outside, it is taken as outside, which is right for
    /// bounds in either case: they are only wider than they could be.
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
            // Alone, whether k was 1 or 0: nothing is likelier than a half but the likeliest.
            if entries.count == 1, lists.logProbs[entries.lowerBound] >= -M_LN2 { return .listed }
            return .outside(entry: own)
        }
    }

    /// Whether no other entry is below the realised token's.
    private func isLeast(at position: Int) -> Bool {
        let entries = lists.entries(at: position)
        guard let own = own[position] else { return false }
        let logProb = lists.logProbs[entries.lowerBound + own]
        return entries.allSatisfy { lists.logProbs[$0] >= logProb }
    }
}
