/// A route's path: exact, or with one segment `{name}` that any text without a slash fills.
package struct PathTemplate: Sendable {
    private let prefix: String
    private let suffix: String
    private let spansSegments: Bool

    /// nil for an exact path.
    /// - Parameter spansSegments: whether slashes are taken, too.
    package init?(_ path: String, spansSegments: Bool = false) {
        guard let open = path.firstIndex(of: "{"), let close = path.firstIndex(of: "}"), open < close else {
            return nil
        }
        prefix = String(path[..<open])
        suffix = String(path[path.index(after: close)...])
        self.spansSegments = spansSegments
    }

    /// What fills the segment in this path, at least one character; nil when the path is another.
    /// - Complexity: O(path).
    package func parameter(in path: String) -> String? {
        guard path.utf8.count > prefix.utf8.count + suffix.utf8.count, path.hasPrefix(prefix),
            path.hasSuffix(suffix)
        else { return nil }
        let filling = path.dropFirst(prefix.count).dropLast(suffix.count)
        return !spansSegments && filling.contains("/") ? nil : String(filling)
    }
}
