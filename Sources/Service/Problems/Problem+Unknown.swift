import Text

extension Problem.Reason {
    /// "unknown …; did you mean …?"
    /// - Parameters: the path of the name, if it is more than the name; the text for `found`.
    static func unknown(
        _ what: String, _ name: String, known: [String], field: String? = nil, found: String? = nil
    ) -> Problem.Reason {
        let suggestion = nearestName(to: name, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
        return Problem.Reason(
            "there is no \(what) with this name\(suggestion)", field: field ?? name,
            expected: suggestion.isEmpty ? known.joined(separator: ", ") : nil, found: found)
    }
}
