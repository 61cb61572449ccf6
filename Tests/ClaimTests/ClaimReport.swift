import Glibc
import Locking

/// Every claim that was held against what was taken, told when the tests end.
///
/// What is small is held against a floor instead of a ratio, so that the ratios are of a mebibyte and more.
enum ClaimReport {
    private struct Case {
        let what: String
        let claim: Int
        let taken: Int
        var ratio: Double { Double(claim) / Double(max(1, taken)) }
    }

    private static let least = 1 << 20
    private static let cases = Monitor([Case]())
    private static let isTold: Void = { _ = atexit { ClaimReport.tell() } }()

    static func add(_ what: String, claim: Int, taken: Int) {
        _ = isTold
        cases.withLock { $0.append(Case(what: what, claim: claim, taken: taken)) }
    }

    private static func tell() {
        let all = cases.withLock { $0 }
        let large = all.filter { $0.taken >= least }.sorted { $0.ratio < $1.ratio }
        guard let lowest = large.first, let highest = large.last else { return }
        func words(_ one: Case) -> String { "\((one.ratio * 1000).rounded() / 1000) (\(one.what))" }
        let beyond = all.filter { $0.taken < least }.map { $0.claim - $0.taken }.max() ?? 0
        print(
            """
            Claimed against taken, of \(large.count) cases of 1 MiB and more: \
            least \(words(lowest)), median \(words(large[large.count / 2])), most \(words(highest)); \
            of \(all.count - large.count) smaller ones at most \(beyond) bytes more
            """)
    }
}
