/// The number of arithmetic operations in about a quarter of a millisecond.
private let operationsBetweenQuestions = 1_000_000

/// Like ``mapInParallel(_:operations:_:)``, for results that may become unwanted.
/// - Parameter isWanted: called a few times in a millisecond of work. No further call begins after it returns false.
/// - Returns: nil if it returned false.
package func mapInParallel<Result: Sendable>(
    _ count: Int, operations: Int, while isWanted: @Sendable () -> Bool, _ body: @Sendable (Int) -> Result
) -> [Result]? {
    let stride = max(1, Int(Double(operationsBetweenQuestions) * Double(count) / Double(max(1, operations))))
    let results = mapInParallel((count + stride - 1) / stride, operations: operations) { part -> [Result]? in
        guard isWanted() else { return nil }
        return (part * stride..<min(count, (part + 1) * stride)).map(body)
    }
    var all: [Result] = []
    all.reserveCapacity(count)
    for result in results {
        guard let result else { return nil }
        all += result
    }
    return all
}
