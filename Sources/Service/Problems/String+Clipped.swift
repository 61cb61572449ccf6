extension String {
    /// Returns the first `limit` scalars, with an ellipsis if more follow. It counts scalars, because one character may
    /// be as long as the text.
    /// - Complexity: O(limit)
    func clipped(to limit: Int) -> String {
        let start = unicodeScalars.prefix(limit)
        return start.endIndex == endIndex ? self : String(start) + "…"
    }
}
