/// The known name that a misspelt one was probably meant to be.
enum NearestName {
    /// The nearest of `names` by edit distance, or nil when even that differs in more than a third of its letters.
    static func of(_ name: String, among names: [String]) -> String? {
        let letters = Array(name.utf8.prefix(64))
        let nearest =
            names
            .map { (name: $0, distance: distance(letters, Array($0.utf8))) }
            .min { $0.distance < $1.distance }
        guard let nearest, nearest.distance * 3 <= nearest.name.utf8.count else { return nil }
        return nearest.name
    }

    /// Levenshtein's distance, one row at a time: O(|a|·|b|) time.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let substituted = diagonal + (x == y ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[b.count]
    }
}
