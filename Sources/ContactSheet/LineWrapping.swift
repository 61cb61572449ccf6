/// Breaks words into lines of at most `width` characters. A word longer than a line is broken after its last semicolon
/// that fits, otherwise after its last comma, equals sign or underscore, otherwise at the end of the line.
/// - Parameter limit: the number of lines that are wanted. If the text has more, at least one more is returned.
/// - Precondition: `width` ≥ 1.
func wrapped(_ words: [String], width: Int, atMost limit: Int = .max) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in words where lines.count <= limit {
        if !line.isEmpty, line.count + 1 + word.count <= width {
            line += " " + word
            continue
        }
        if !line.isEmpty { lines.append(line) }
        var rest = word[...]
        // Counting the whole rest for each line would take time that grows with its square.
        while let most = rest.index(rest.startIndex, offsetBy: width, limitedBy: rest.endIndex),
            most < rest.endIndex, lines.count <= limit
        {
            let fitting = rest[..<most]
            let gap = fitting.lastIndex(of: ";") ?? fitting.lastIndex { ",=_".contains($0) }
            let end = gap.map(fitting.index(after:)) ?? fitting.endIndex
            lines.append(String(rest[..<end]))
            rest = rest[end...]
        }
        line = String(rest)
    }
    return line.isEmpty ? lines : lines + [line]
}
