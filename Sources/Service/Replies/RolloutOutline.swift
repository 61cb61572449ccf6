/// The nesting of a reply's entries in each rollout. Dots in names become objects, each at the position of its first
/// entry.
struct RolloutOutline: Sendable {
    enum Node: Sendable {
        /// - Parameter index: the index of the entry in the reply.
        case entry(name: String, index: Int)
        case group(name: String, [Node])
    }

    let nodes: [Node]

    /// - Complexity: O(entries²), once for all rollouts.
    init(_ entries: [TensorReply.Entry]) {
        let named = entries.enumerated().filter { !$0.element.isScalar }.map { index, entry in
            (path: entry.name.split(separator: ".").map(String.init)[...], index: index)
        }
        nodes = RolloutOutline.nested(named)
    }

    private static func nested(_ named: [(path: ArraySlice<String>, index: Int)]) -> [Node] {
        var written: Set<String> = []
        return named.compactMap { path, index in
            guard let name = path.first else { return nil }
            if path.count == 1 { return .entry(name: name, index: index) }
            guard written.insert(name).inserted else { return nil }
            let group = named.filter { $0.path.count > 1 && $0.path.first == name }
            return .group(name: name, nested(group.map { ($0.path.dropFirst(), $0.index) }))
        }
    }
}
