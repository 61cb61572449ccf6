/// How a reply's entries nest in each of its rollouts: dots in names become objects, each where its first entry stands.
struct RolloutOutline: Sendable {
    enum Part: Sendable {
        /// `index` is that of the entry.
        case entry(name: String, index: Int)
        case group(name: String, [Part])
    }

    let parts: [Part]

    /// - Complexity: O(entries²), once for all rollouts.
    init(_ entries: [TensorReply.Entry]) {
        let named = entries.enumerated().filter { !$0.element.isScalar }.map { index, entry in
            (path: entry.name.split(separator: ".").map(String.init)[...], index: index)
        }
        parts = RolloutOutline.nested(named)
    }

    private static func nested(_ named: [(path: ArraySlice<String>, index: Int)]) -> [Part] {
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
