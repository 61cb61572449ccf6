/// The rest of a body, made in pieces while earlier pieces are sent, for answers too large to hold.
///
/// A worker makes each piece as a separate job, a few ahead of the client, and the pieces are sent in order. A client
/// that reads slowly therefore delays only its own pieces, and one that leaves ends the work.
///
/// Memory is claimed for each piece before it is made, and stays claimed until the piece is sent. Everything that can
/// fail because of the request must have been checked before, because the status has been sent.
package protocol BodySource: Sendable {
    var pieceCount: Int { get }

    /// What is missing to make a piece now, in bytes at most: the work with the piece, and what is kept for it and isn't
    /// there yet. The claim of the work that made the source must have room for one piece.
    func claim(of index: Int) -> Int

    /// That much is claimed, and the piece is about to be made: what is kept for it counts as kept from now on.
    ///
    /// - Returns: what making it takes beside that.
    func begin(_ index: Int) -> Int

    /// About how long a piece takes on one core; see ``WorkerPool``.
    var expected: Duration { get }

    /// What is kept beside the request's body for pieces that are begun or to come, in bytes.
    var keptBytes: Int { get }

    /// The client doesn't keep up, and nothing is being made: what can be had again need not be kept.
    func letGo()

    /// Makes one piece. Called once for each index, in ascending order but several at a time.
    ///
    /// - Returns: nil when it can't be made. The reply is then cut off: it has neither its last chunk nor what would
    ///   follow, which every HTTP client reports as an incomplete reply.
    func piece(_ index: Int) -> [[UInt8]]?
}

/// Of a reply that is complete when it begins.
struct NothingMore: BodySource {
    let pieceCount = 0
    let expected = Duration.zero
    let keptBytes = 0

    func claim(of index: Int) -> Int { 0 }
    func begin(_ index: Int) -> Int { 0 }
    func letGo() {}
    func piece(_ index: Int) -> [[UInt8]]? { nil }
}
