/// The likeliest tokens of each position, concatenated.
struct TopLists {
    /// Position i has entries `offsets[i]..<offsets[i + 1]`.
    private(set) var offsets = [0]
    /// Whether the position has a list, though it may be empty.
    private(set) var isPresent: [Bool] = []
    /// −inf for an entry of probability 0.
    var logProbs: [Double] = []
    /// Parallel to `logProbs`; empty if only texts are known.
    var ids: [Int] = []

    init() {}

    /// Creates lists of `length` entries each, after `nullPrefix` positions without lists.
    init(logProbs: [Double], ids: [Int], nullPrefix: Int, length: Int) {
        self.logProbs = logProbs
        self.ids = ids
        let rows = length == 0 ? 0 : logProbs.count / length
        offsets = [Int](repeating: 0, count: nullPrefix) + (0...rows).map { $0 * length }
        isPresent =
            [Bool](repeating: false, count: nullPrefix) + [Bool](repeating: true, count: rows)
    }

    var count: Int { isPresent.count }

    func entries(at position: Int) -> Range<Int> { offsets[position]..<offsets[position + 1] }

    /// Whether the current position has no entries yet.
    var isAtStart: Bool { offsets.last == logProbs.count }

    /// Closes the position whose entries were appended.
    mutating func endPosition(isPresent: Bool) {
        offsets.append(logProbs.count)
        self.isPresent.append(isPresent)
    }

    mutating func removeLast(_ count: Int) {
        isPresent.removeLast(count)
        offsets.removeLast(count)
        logProbs.removeLast(logProbs.count - (offsets.last ?? 0))
        if ids.count > logProbs.count { ids.removeLast(ids.count - logProbs.count) }
    }
}
