import Batches
import HTTP
import HTTPTypes
import JSON
import Parallelism
import Tensor
import TokenDistribution

extension TensorReply {
    /// Returns the reply as JSON in the form of the request: rollout objects, or members with the tensors' names.
    ///
    /// Gradients of logits must have been filled.
    func json() -> Response {
        var writer = JSONWriter(reservingCapacity: columnBytes)
        // The pieces are sent as they are. Joining them would take the reply's size again.
        var pieces: [[UInt8]] = []
        writer.object { writer in
            if case .rollouts(let ids) = layout.kind {
                writer.members(resolvedScalars(withSequences: false))
                writer.name("rollouts")
                // Most of the time goes into digits: some fifty operations for each number.
                let numbers = layout.sequences.tokens * entries.count
                let outline = RolloutOutline(entries)
                let groups = sequenceGroups
                let texts = mapInParallel(
                    groups.count, operations: 50 * numbers + 1000 * layout.sequences.count
                ) {
                    write(groups[$0], ids, outline)
                }
                writer.array { writer in
                    for text in texts { pieces += [writer.takeText(), text] }
                }
            } else {
                writer.members(resolvedScalars(withSequences: true))
                for entry in entries where !entry.isScalar {
                    writer.name(entry.name)
                    writeColumn(entry.values, &writer)
                }
            }
        }
        return Response(.json, body: pieces + [writer.bytes])
    }

    /// The maximum length of a number with its comma, as in `-1.17549435e-38,`.
    static let digits = 16

    /// The approximate length of all columns. Rollouts are written separately.
    private var columnBytes: Int {
        if case .rollouts = layout.kind { return 1 << 12 }
        return 1 << 12 + layout.sequences.tokens * entries.count * 8
            + gradientDigits(of: 0..<layout.sequences.tokens)
    }

    /// Returns the maximum length of the gradients of logits of these tokens. They are by far the largest part of a
    /// reply. A text that grew with them would be held twice.
    private func gradientDigits(of tokens: Range<Int>) -> Int {
        entries.reduce(0) { sum, entry in
            guard case .rows(_, _, let rows, let width) = entry.values else { return sum }
            return sum + indices(of: tokens, in: rows).count * width * Self.digits
        }
    }

    /// Writes [B,T] as nested lists, and [N] as a flat list.
    private func writeColumn(_ values: Values, _ writer: inout JSONWriter) {
        switch values {
        case .indices(let rows): writer.array { writer in for row in rows { writer.integer(row) } }
        case .rows(_, _, let rows, _): writer.array { writer in writeRows(values, rows.indices, &writer) }
        case .gradient: preconditionFailure("gradients are filled before they are written")
        case .sequences(let floats, _): writer.array { writer in floats.withFloats { writer.numbers($0) } }
        case .scalar: preconditionFailure("scalars are written with the others")
        case .texts: preconditionFailure("texts are those of rollouts")
        case .masks, .floats, .bfloat16s, .integers:
            guard case .padded = layout.kind else {
                writer.array { writer in writeTokens(values, 0..<layout.sequences.tokens, &writer) }
                return
            }
            writer.array { writer in
                for sequence in 0..<layout.sequences.count {
                    writer.array { writer in writeTokens(values, layout.sequences[sequence], &writer) }
                }
            }
        }
    }

    private func writeTokens(_ values: Values, _ range: Range<Int>, _ writer: inout JSONWriter) {
        switch values {
        case .masks(let masks): writer.numbers(masks.span.extracting(range))
        case .floats(let floats): floats.withFloats { writer.numbers($0.extracting(range)) }
        case .bfloat16s(let bfloat16s): bfloat16s.bytes.write(.bfloat16, range, to: &writer)
        case .integers(let integers): for index in range { writer.integer(integers[index]) }
        case .indices, .rows, .gradient, .sequences, .scalar, .texts:
            preconditionFailure("not one entry for each token")
        }
    }

    private func writeRows(_ values: Values, _ range: Range<Int>, _ writer: inout JSONWriter) {
        guard case .rows(let bytes, let type, _, let width) = values else {
            preconditionFailure("no rows of logits")
        }
        for row in range {
            writer.array { writer in bytes.write(type, row * width..<(row + 1) * width, to: &writer) }
        }
    }

    /// The groups of sequences that are written one after another into one text. A group has one long sequence or many
    /// short ones, so that its text is worth a piece of its own.
    private var sequenceGroups: [Range<Int>] {
        let most = 64
        let count = min(layout.sequences.count, most)
        return (0..<count).map {
            layout.sequences.count * $0 / count..<layout.sequences.count * ($0 + 1) / count
        }
    }

    /// Returns the rollouts of some sequences, with commas between them.
    private func write(_ sequences: Range<Int>, _ ids: [JSONValue?], _ outline: RolloutOutline) -> [UInt8] {
        let tokens =
            layout.sequences[sequences.lowerBound]
            .lowerBound..<layout.sequences[sequences.upperBound - 1].upperBound
        var writer = JSONWriter(
            reservingCapacity: sequences.count << 8 + tokens.count * entries.count * 8
                + gradientDigits(of: tokens)
        )
        for sequence in sequences { write(sequence, id: ids[sequence], outline, &writer) }
        return writer.bytes
    }

    /// Writes the values of one sequence from every tensor.
    private func write(_ sequence: Int, id: JSONValue?, _ outline: RolloutOutline, _ writer: inout JSONWriter)
    {
        writer.object { writer in
            if let id { writer.member("id", id) }
            write(outline.nodes, sequence, &writer)
            if !sequenceDiagnostics.isEmpty {
                writer.name("diagnostics")
                writer.object { writer in writer.members(sequenceDiagnostics[sequence].members) }
            }
        }
    }

    private func write(_ nodes: [RolloutOutline.Node], _ sequence: Int, _ writer: inout JSONWriter) {
        for node in nodes {
            switch node {
            case .entry(let name, let index): writeEntry(entries[index], as: name, sequence, &writer)
            case .group(let name, let nodes):
                writer.name(name)
                writer.object { writer in write(nodes, sequence, &writer) }
            }
        }
    }

    private func writeEntry(
        _ entry: Entry, as name: String, _ sequence: Int, _ writer: inout JSONWriter
    ) {
        if case .texts(let texts) = entry.values {
            guard let texts = texts.responses[sequence] else { return }
            writer.name(name)
            return texts.write(to: &writer)
        }
        if case .sequences(let floats, let member) = entry.values {
            writer.name(member)
            writer.number(floats[sequence])
            return
        }
        let tokens = layout.sequences[sequence]
        writer.name(name)
        writer.array { writer in
            switch entry.values {
            case .masks, .floats, .bfloat16s, .integers: writeTokens(entry.values, tokens, &writer)
            case .indices(let rows):
                for row in rows[indices(of: tokens, in: rows)] { writer.integer(row - tokens.lowerBound) }
            case .rows(_, _, let rows, _): writeRows(entry.values, indices(of: tokens, in: rows), &writer)
            case .gradient: preconditionFailure("gradients are filled before they are written")
            case .sequences, .scalar, .texts: preconditionFailure("not a list in a rollout")
            }
        }
    }

    /// Returns the positions of those of the ascending `rows` that lie in `tokens`.
    private func indices(of tokens: Range<Int>, in rows: [Int]) -> Range<Int> {
        firstIndex(in: rows, from: tokens.lowerBound)..<firstIndex(in: rows, from: tokens.upperBound)
    }

    /// Returns the position of the first of the ascending `rows` that is at least `token`.
    /// - Complexity: O(log rows). It is called for each rollout.
    private func firstIndex(in rows: [Int], from token: Int) -> Int {
        var low = 0
        var high = rows.count
        while low < high {
            let middle = (low + high) / 2
            if rows[middle] < token { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension JSONWriter {
    mutating func members(_ members: [JSONValue.Member]) {
        for member in members { self.member(member.name, member.value) }
    }
}

extension [UInt8] {
    /// Writes some of the numbers that these bytes represent.
    fileprivate func write(_ type: ResultType, _ range: Range<Int>, to writer: inout JSONWriter) {
        switch type {
        case .float32:
            unsafe withUnsafeBytes { bytes in
                writer.numbers(unsafe bytes.assumingMemoryBound(to: Float.self).span.extracting(range))
            }
        case .bfloat16:
            // In blocks, because a whole row, widened, would take twice its memory again.
            let block = 1024
            var floats = [Float](repeating: 0, count: Swift.min(block, range.count))
            for first in stride(from: range.lowerBound, to: range.upperBound, by: block) {
                let count = Swift.min(block, range.upperBound - first)
                var wide = floats.mutableSpan
                unsafe withUnsafeBytes { bytes in
                    type.elementType.widen(
                        unsafe bytes.bytes.extracting(2 * first..<2 * (first + count)), into: &wide)
                }
                writer.numbers(floats.span.extracting(first: count))
            }
        }
    }
}

extension TensorReply.Entry {
    /// A Boolean value indicating whether JSON has the entry among its scalars.
    var isScalar: Bool {
        if case .scalar = values { true } else { false }
    }
}
