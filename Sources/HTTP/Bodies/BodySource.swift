/// The rest of a body, made in pieces while earlier pieces are sent, for answers too large to hold.
///
/// A worker makes each piece as a separate job, a few ahead of the client, and the pieces are sent in order. A client
/// that reads slowly therefore delays only its own pieces, and one that leaves ends the work.
///
/// Memory is claimed for each piece before it is made, and stays claimed until the piece is sent. Everything that can
/// fail because of the request must have been checked before, because the status has been sent.
package protocol BodySource: Sendable {
    var pieceCount: Int { get }

    /// Returns the largest number of further bytes that making this piece needs now: for the work, for the piece, and
    /// for data that the source keeps for it and has not yet read. The claim of the work that made the source must
    /// cover one piece.
    func claim(of index: Int) -> Int

    /// Notes that the memory is claimed and the piece is about to be made. From now on the data kept for it count as
    /// kept.
    ///
    /// - Returns: the bytes that making it needs in addition.
    func begin(_ index: Int) -> Int

    /// The approximate duration of a piece on one core; see ``WorkerPool``.
    var expected: Duration { get }

    /// The bytes kept, in addition to the request's body, for pieces that have begun or are still to come.
    var keptBytes: Int { get }

    /// Frees data that can be produced again. Called when the client falls behind and no piece is being made.
    func letGo()

    /// Makes one piece. Called once for each index, in ascending order but several at a time.
    ///
    /// - Returns: nil if it cannot be made. The reply then ends without its last chunk, which every HTTP client reports
    ///   as an incomplete reply.
    func piece(_ index: Int) -> [[UInt8]]?
}

/// Defaults for a reply that is complete when it begins.
struct NothingMore: BodySource {
    let pieceCount = 0
    let expected = Duration.zero
    let keptBytes = 0

    func claim(of index: Int) -> Int { 0 }
    func begin(_ index: Int) -> Int { 0 }
    func letGo() {}
    func piece(_ index: Int) -> [[UInt8]]? { nil }
}
