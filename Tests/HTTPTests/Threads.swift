import Locking
import Parallelism

@testable import HTTP

/// Runs `body` on so many threads at once and returns what each made, in order.
func inParallel<Result: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) -> Result) throws
    -> [Result]
{
    let results = Monitor([Result?](repeating: nil, count: count))
    for index in 0..<count {
        try PosixThread.start(named: "client-\(index)") {
            let result = body(index)
            results.withLock(waking: .everybody) { $0[index] = result }
        }
    }
    return results.wait { results in
        let finished = results.compactMap(\.self)
        return finished.count == count ? finished : nil
    }
}

/// Something that happens once, on another thread.
final class Later<Value: Sendable>: Sendable {
    private let value = Monitor<Value?>(nil)

    init(_ body: @escaping @Sendable () -> Value) throws {
        try PosixThread.start(named: "later") { [value] in
            let result = body()
            value.withLock(waking: .everybody) { $0 = result }
        }
    }

    func get() -> Value { value.wait { $0 } }
    var hasHappened: Bool { value.withLock { $0 != nil } }
}
