/// A route's path: exact, or with one segment `{name}` that any text without a slash fills.
package struct PathTemplate: Sendable {
    private let prefix: String
    private let suffix: String
    private let spansSegments: Bool

    /// Creates a template; nil if the path is exact.
    /// - Parameter spansSegments: whether the parameter may contain slashes.
    package init?(_ path: String, spansSegments: Bool = false) {
        guard let open = path.firstIndex(of: "{"), let close = path.firstIndex(of: "}"), open < close else {
            return nil
        }
        prefix = String(path[..<open])
        suffix = String(path[path.index(after: close)...])
        self.spansSegments = spansSegments
    }

    /// Returns the text, at least one character, that fills the segment in this path; nil if the path does not match.
    /// - Complexity: O(path).
    package func parameter(in path: String) -> String? {
        guard path.utf8.count > prefix.utf8.count + suffix.utf8.count, path.hasPrefix(prefix),
            path.hasSuffix(suffix)
        else { return nil }
        let filling = path.dropFirst(prefix.count).dropLast(suffix.count)
        return !spansSegments && filling.contains("/") ? nil : String(filling)
    }
}
