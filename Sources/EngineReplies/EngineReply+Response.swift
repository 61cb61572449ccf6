/// The part of a reply that is about the response.
package struct EngineResponse: Sendable, Equatable {
    /// The realised token of each position, [T], where the reply tells it.
    package var ids: [Int?] = []
    /// Its log-probability in nats, [T]; finite and at most 0, and 0 where the token does not count.
    package var logProbs: [Double] = []
    /// nil when it wasn't asked for.
    package var best: Best?

    /// The k likeliest tokens of each position.
    package struct Best: Sendable, Equatable {
        /// Position i has entries `offsets[i]..<offsets[i + 1]`, at least one where the token counts: [T + 1].
        package var offsets = [0]
        /// Nats, in the reply's order; −inf is probability 0.
        package var logProbs: [Double] = []
        /// Parallel to `logProbs`; empty when the reply names tokens by their texts.
        package var ids: [Int] = []
        /// How the realised token relates to them, [T].
        package var realised: [Realised] = []

        /// A position that does not count has no entries.
        fileprivate mutating func skip() {
            offsets.append(logProbs.count)
            realised.append(.unidentified)
        }
    }

    package enum Realised: Sendable, Equatable {
        /// It is one of them.
        case listed
        /// It is not.
        case outside
        /// The reply doesn't tell.
        case unidentified
    }
}

extension EngineReply {
    /// The last T positions, compared with the response's token ids [T], as far as these are known.
    package func response(
        tokenIDs: [Int?], responseMask: [UInt8]? = nil, needsBest: Bool
    ) throws(EngineReplyError) -> EngineResponse {
        try response(
            last: tokenIDs.count, tokenIDs: tokenIDs, responseMask: responseMask, needsBest: needsBest)
    }

    /// The last `count` ≥ 0 positions. Counting from the end is right for every engine: a prompt's image takes as many
    /// positions as the engine pleases.
    /// - Parameters:
    ///   - responseMask: [T] of 0 and 1: what the reply says of a token with 0 is not read, such as the output of a tool
    ///     between two turns. Nil: all count.
    ///   - needsBest: whether lists of likeliest tokens must be there; they are left out otherwise.
    /// - Complexity: O(T + entries · log k)
    package func response(
        last count: Int, responseMask: [UInt8]? = nil, needsBest: Bool
    ) throws(EngineReplyError) -> EngineResponse {
        try response(last: count, tokenIDs: nil, responseMask: responseMask, needsBest: needsBest)
    }

    private func response(
        last count: Int, tokenIDs: [Int?]?, responseMask: [UInt8]?, needsBest: Bool
    ) throws(EngineReplyError) -> EngineResponse {
        precondition(count >= 0 && (responseMask?.count ?? count) == count)
        guard count <= self.count else {
            throw EngineReplyError(.tooFewEntries(expected: count, found: self.count), path: listPath)
        }
        let start = self.count - count
        var response = EngineResponse()
        var best = EngineResponse.Best()
        for place in 0..<count {
            let position = start + place
            guard responseMask?[place] != 0 else {
                response.logProbs.append(0)
                best.skip()
                continue
            }
            let path = "\(listPath)[\(position)]"
            if let expected = tokenIDs?[place] ?? nil, let found = ids[position], expected != found {
                throw EngineReplyError(
                    .otherToken(position: place, expected: expected, found: found), path: path)
            }
            guard logProbs[position] > -.infinity else {
                throw EngineReplyError(.impossibleToken(position: place), path: path)
            }
            guard logProbs[position] <= EngineReply.tolerance else {
                throw EngineReplyError(.notALogProb(logProbs[position], position: place), path: path)
            }
            response.logProbs.append(logProbs[position])
            if needsBest { try append(position, at: place, to: &best) }
        }
        response.ids = Array(ids[start...])
        response.best = needsBest ? best : nil
        return response
    }

    /// How far above 0 an engine's rounding may put a log-prob, in nats: as far as numbers that are given in JSON may be.
    private static let tolerance = 1e-3

    /// Adds the k likeliest of one position, without a realised token that is not among them.
    private func append(
        _ position: Int, at place: Int, to best: inout EngineResponse.Best
    ) throws(EngineReplyError) {
        let path = "\(topPath)[\(position)]"
        guard let lists, lists.isPresent[position] else {
            throw EngineReplyError(.noBest(position: place), path: lists == nil ? topPath : path)
        }
        let range = lists.entries(at: position)
        var left: Int?
        switch standings[position] {
        case .listed: best.realised.append(.listed)
        case .outside(let entry):
            left = entry
            best.realised.append(.outside)
        case .unidentified: best.realised.append(.unidentified)
        }
        for entry in range where entry - range.lowerBound != left {
            let value = lists.logProbs[entry]
            guard value <= EngineReply.tolerance else {
                throw EngineReplyError(
                    .notALogProb(value, position: place), path: "\(path)[\(entry - range.lowerBound)]")
            }
            // As a probability it is 1.
            best.logProbs.append(min(value, 0))
            if !lists.ids.isEmpty { best.ids.append(lists.ids[entry]) }
        }
        guard best.logProbs.count > best.offsets[place] else {
            throw EngineReplyError(.noBest(position: place), path: path)
        }
        best.offsets.append(best.logProbs.count)
        if !lists.ids.isEmpty {
            let ids = lists.ids[range].sorted()
            for (id, next) in zip(ids, ids.dropFirst()) where id == next {
                throw EngineReplyError(.duplicateTokenID(id), path: path)
            }
        }
    }
}
