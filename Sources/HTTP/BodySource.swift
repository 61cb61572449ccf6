/// The rest of a body, made in pieces while the pieces before are sent, for answers too large to be held.
///
/// Each piece is made by a job of its own on the batch threads, a few ahead of what the client has taken, and sent in
/// order. A client that reads slowly therefore holds up its own pieces and nobody else's thread; one that leaves ends
/// the work.
///
/// Everything that can fail because of the request must have been checked before: the status has been sent.
package protocol BodySource: Sendable {
    var pieceCount: Int { get }

    /// Makes one piece. Called once for each index, in ascending order but several at a time.
    ///
    /// - Returns: nil when it can't be made. The reply is then cut off: it has neither its last chunk nor what would
    ///   follow, which every HTTP client reports as an incomplete reply.
    func piece(_ index: Int) -> [[UInt8]]?
}
