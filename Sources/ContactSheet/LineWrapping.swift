/// Breaks words into lines of at most `width` characters. A word longer than a line is broken after its last semicolon
/// that fits, otherwise after its last comma, equals sign or underscore, otherwise at the end of the line.
/// - Precondition: `width` ≥ 1.
func wrapped(_ words: [String], width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in words {
        if !line.isEmpty, line.count + 1 + word.count <= width {
            line += " " + word
            continue
        }
        if !line.isEmpty { lines.append(line) }
        var rest = word[...]
        while rest.count > width {
            let fitting = rest.prefix(width)
            let gap = fitting.lastIndex(of: ";") ?? fitting.lastIndex { ",=_".contains($0) }
            let end = gap.map(fitting.index(after:)) ?? fitting.endIndex
            lines.append(String(rest[..<end]))
            rest = rest[end...]
        }
        line = String(rest)
    }
    return line.isEmpty ? lines : lines + [line]
}
