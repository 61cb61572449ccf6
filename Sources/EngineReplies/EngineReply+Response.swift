/// The entries of a reply for the response.
package struct EngineResponse: Sendable, Equatable {
    /// The realised token of each position, [T], if the reply contains it.
    package var ids: [Int?] = []
    /// Its log-probability in nats, [T]; finite and at most 0, and 0 where the token does not count.
    package var logProbs: [Double] = []
    /// Nil if it was not requested.
    package var best: Best?

    /// The k likeliest tokens of each position.
    package struct Best: Sendable, Equatable {
        /// [T + 1]. Position i has entries `offsets[i]..<offsets[i + 1]`, at least one if the token counts.
        package var offsets = [0]
        /// Nats, in the reply's order; −inf is probability 0.
        package var logProbs: [Double] = []
        /// Parallel to `logProbs`; empty if the reply names tokens by their texts.
        package var ids: [Int] = []
        /// The relation of the realised token to the list, [T].
        package var realised: [Realised] = []

        /// The position does not count and has no entries.
        fileprivate mutating func skip() {
            offsets.append(logProbs.count)
            realised.append(.unidentified)
        }
    }

    package enum Realised: Sendable, Equatable {
        /// The realised token is in the list.
        case listed
        /// The realised token is not in the list.
        case outside
        /// The reply does not say.
        case unidentified
    }
}

extension EngineReply {
    /// Returns the last T positions, and checks them against the known token ids [T] of the response.
    package func response(
        tokenIDs: [Int?], responseMask: [UInt8]? = nil, needsBest: Bool
    ) throws(EngineReplyError) -> EngineResponse {
        try response(
            last: tokenIDs.count, tokenIDs: tokenIDs, responseMask: responseMask, needsBest: needsBest)
    }

    /// Returns the last `count` ≥ 0 positions. Counting from the end is correct for every engine, because engines use
    /// different numbers of positions for an image in the prompt.
    /// - Parameters:
    ///   - responseMask: [T] of 0 and 1. Entries of tokens with 0, such as the output of a tool between two turns, are
    ///     ignored. Nil means that all count.
    ///   - needsBest: whether lists of likeliest tokens are required. Otherwise they are left out.
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

    /// The largest log-prob that counts as rounding of 0, in nats. The limit for numbers in JSON is the same.
    private static let tolerance = 1e-3

    /// Adds the k likeliest tokens of one position, without a realised token that is not among them.
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
            // It counts as probability 1.
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
