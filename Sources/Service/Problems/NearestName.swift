/// The known name nearest to a mistyped one, for "did you mean", if one is near enough to be meant.
/// - Complexity: O(known × length²), on names of at most 64 characters.
func nearestName(to name: String, among known: [String]) -> String? {
    let typed = Array(name.lowercased().prefix(64))
    let best = known.map { ($0, editDistance(typed, Array($0.lowercased()))) }.min { $0.1 < $1.1 }
    guard let (candidate, distance) = best, distance <= max(2, candidate.count / 3) else { return nil }
    return candidate
}

/// Levenshtein distance, one row at a time.
private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
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

extension Problem.Reason {
    /// "unknown …; did you mean …?"
    static func unknown(_ what: String, _ name: String, known: [String]) -> Problem.Reason {
        let suggestion = nearestName(to: name, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
        return Problem.Reason(
            "there is no \(what) of this name\(suggestion)", field: name,
            expected: suggestion.isEmpty ? known.joined(separator: ", ") : nil)
    }
}
