/// Everything found wrong with a request so far, so that one reply can name all of it.
struct Faults {
    private var found: [(kind: Problem.Kind, reason: Problem.Reason)] = []
    private var unlisted = 0

    var isEmpty: Bool { found.isEmpty }

    /// - Parameter reason: made only when it is kept: a batch of a million bad names needs no million suggestions.
    mutating func add(_ kind: Problem.Kind, _ reason: @autoclosure () -> Problem.Reason) {
        if found.count < 10 * Problem.listedReasons { found.append((kind, reason())) } else { unlisted += 1 }
    }

    /// Throws one problem with every reason; the gravest kind, by the order of its cases, names it and comes first.
    func check() throws(Problem) {
        let order = Problem.Kind.allCases
        guard let kind = order.first(where: { kind in found.contains { $0.kind == kind } }) else { return }
        let reasons = found.filter { $0.kind == kind } + found.filter { $0.kind != kind }
        throw Problem(kind, reasons.map(\.reason), unlisted: unlisted)
    }
}
