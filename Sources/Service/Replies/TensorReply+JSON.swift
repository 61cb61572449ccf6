import HTTP
import JSON
import Perception

extension TensorReply {
    /// JSON in the form of the request: rollout objects, or members with the tensors' names.
    func json() -> Response {
        var writer = JSONWriter(reservingCapacity: 1 << 12 + layout.rows.tokens * entries.count * 8)
        writer.object { writer in
            if case .rollouts(let ids) = layout.kind {
                writer.members(resolvedScalars(withSequences: false))
                writer.name("rollouts")
                writer.array { writer in
                    for row in 0..<layout.rows.count { writeRollout(row, id: ids[row], &writer) }
                }
            } else {
                writer.members(resolvedScalars(withSequences: true))
                for entry in entries {
                    writer.name(entry.name)
                    writeColumn(entry.values, &writer)
                }
            }
        }
        return Response(contentType: "application/json", body: writer.bytes)
    }

    /// [B,T] as nested lists, [N] flat.
    private func writeColumn(_ values: Values, _ writer: inout JSONWriter) {
        switch values {
        case .rowNumbers(let rows): writer.array { writer in for row in rows { writer.integer(row) } }
        case .rows(_, let rows, _): writer.array { writer in writeRows(values, rows.indices, &writer) }
        case .masks, .floats:
            guard case .padded = layout.kind else {
                writer.array { writer in writeTokens(values, 0..<layout.rows.tokens, &writer) }
                return
            }
            writer.array { writer in
                for row in 0..<layout.rows.count {
                    writer.array { writer in writeTokens(values, layout.rows[row], &writer) }
                }
            }
        }
    }

    private func writeTokens(_ values: Values, _ range: Range<Int>, _ writer: inout JSONWriter) {
        switch values {
        case .masks(let masks): writer.numbers(masks.span.extracting(range))
        case .floats(let floats): writer.numbers(floats.span.extracting(range))
        case .rowNumbers, .rows: preconditionFailure("not one entry for each token")
        }
    }

    private func writeRows(_ values: Values, _ range: Range<Int>, _ writer: inout JSONWriter) {
        guard case .rows(let floats, _, let width) = values else { preconditionFailure("no rows of logits") }
        for row in range {
            writer.array { writer in
                writer.numbers(floats.span.extracting(row * width..<(row + 1) * width))
            }
        }
    }

    /// One sequence's part of every tensor; dots in names become nested objects.
    private func writeRollout(_ row: Int, id: JSONValue?, _ writer: inout JSONWriter) {
        let tokens = layout.rows[row]
        writer.object { writer in
            if let id { writer.member("id", id) }
            writeNested(
                entries.map { ($0.name.split(separator: ".").map(String.init), $0) }[...], tokens, &writer)
            if !sequenceDiagnostics.isEmpty {
                writer.member("diagnostics", .object(sequenceDiagnostics[row]))
            }
        }
    }

    /// Writes entries whose names share prefixes, which stand next to one another, as nested objects.
    private func writeNested(
        _ named: ArraySlice<(path: [String], entry: Entry)>, _ tokens: Range<Int>, _ writer: inout JSONWriter
    ) {
        var rest = named
        while let first = rest.first {
            if first.path.count == 1 {
                writePart(first.entry, as: first.path[0], tokens, &writer)
                rest = rest.dropFirst()
                continue
            }
            let group = rest.prefix { $0.path.count > 1 && $0.path[0] == first.path[0] }
            writer.name(first.path[0])
            writer.object { writer in
                writeNested(group.map { (Array($0.path.dropFirst()), $0.entry) }[...], tokens, &writer)
            }
            rest = rest.dropFirst(group.count)
        }
    }

    private func writePart(
        _ entry: Entry, as name: String, _ tokens: Range<Int>, _ writer: inout JSONWriter
    ) {
        if case .scalar(let alias) = rolloutNames[entry.name], case .floats(let floats) = entry.values {
            writer.name(alias)
            writer.number(floats[tokens.lowerBound])
            return
        }
        writer.name(name)
        writer.array { writer in
            switch entry.values {
            case .masks, .floats: writeTokens(entry.values, tokens, &writer)
            case .rowNumbers(let rows):
                for row in rows[indices(of: tokens, in: rows)] { writer.integer(row - tokens.lowerBound) }
            case .rows(_, let rows, _): writeRows(entry.values, indices(of: tokens, in: rows), &writer)
            }
        }
    }

    /// Which of the ascending `rows` lie in `tokens`.
    private func indices(of tokens: Range<Int>, in rows: [Int]) -> Range<Int> {
        firstIndex(in: rows, from: tokens.lowerBound)..<firstIndex(in: rows, from: tokens.upperBound)
    }

    /// Where the first of the ascending `rows` stands that is at least `token`.
    /// - Complexity: O(log rows), for each rollout asks.
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
