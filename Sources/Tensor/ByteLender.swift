/// Somebody who holds bytes and lends them where they are, for as long as a call lasts.
package protocol ByteLender: Sendable {
    var count: Int { get }
    func withBytes<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result
}
