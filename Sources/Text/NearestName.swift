/// Returns the known name nearest to a mistyped one, for "did you mean", if it is near enough.
/// - Complexity: O(known × length²), on names of at most 64 bytes.
package func nearestName(to name: String, among known: [String]) -> String? {
    let typed = name.utf8.prefix(64).map(lowercased)
    let best = known.map { ($0, editDistance(typed, $0.utf8.map(lowercased))) }.min { $0.1 < $1.1 }
    guard let (candidate, distance) = best, distance <= max(2, candidate.utf8.count / 3) else { return nil }
    return candidate
}

/// Lowercases ASCII. Known names have no other letters.
private func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

/// The Levenshtein distance, computed one row of the table at a time.
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for (i, left) in a.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, right) in b.enumerated() {
            let substitution = diagonal + (left == right ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(substitution, diagonal + 1, row[j] + 1)
        }
    }
    return row[b.count]
}
