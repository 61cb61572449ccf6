/// How a flat list of N tokens divides into B sequences: sequence b is tokens offsets[b] ..< offsets[b+1].
///
/// The same layout serves padded [B,T] batches (equal sequences), packed ones (`cu_seqlens`) and ragged lists.
/// Invariant: offsets[0] == 0, never decreasing; offsets.count == B + 1.
package struct Sequences: Sendable, Equatable {
    package let offsets: [Int]

    package init(offsets: [Int]) {
        precondition(offsets.first == 0 && zip(offsets, offsets.dropFirst()).allSatisfy { $0 <= $1 })
        self.offsets = offsets
    }

    package init(padded batch: Int, _ length: Int) {
        self.init(offsets: (0...batch).map { $0 * length })
    }

    package init(lengths: [Int]) {
        var offsets = [0]
        for length in lengths { offsets.append(offsets[offsets.count - 1] + length) }
        self.init(offsets: offsets)
    }

    /// B.
    package var count: Int { offsets.count - 1 }
    /// N.
    package var tokens: Int { offsets[offsets.count - 1] }
    /// T of a padded batch; the longest sequence of any other.
    package var longest: Int { (0..<count).map { self[$0].count }.max() ?? 0 }

    package subscript(sequence: Int) -> Range<Int> { offsets[sequence]..<offsets[sequence + 1] }

    /// Which sequence holds flat token `token`.
    /// - Complexity: O(log B)
    package func sequence(of token: Int) -> Int {
        var low = 0
        var high = count
        while high - low > 1 {
            let middle = (low + high) / 2
            if offsets[middle] <= token { low = middle } else { high = middle }
        }
        // Empty sequences share their offset with the next: the last one that starts here holds the token.
        return low
    }

    /// The tokens of each sequence in pieces of at most `limit`, for handing out.
    package func pieces(ofAtMost limit: Int) -> [(sequence: Int, tokens: Range<Int>)] {
        (0..<count).flatMap { sequence in
            stride(from: self[sequence].lowerBound, to: self[sequence].upperBound, by: limit).map { first in
                (sequence, first..<min(first + limit, self[sequence].upperBound))
            }
        }
    }
}
