/// A header field of a value and parameters, as Content-Type and Content-Disposition are (RFC 9110 §5.6.6).
struct ParameterizedField {
    /// Lower case, without parameters.
    let value: String
    private let parameters: [(name: String, value: String)]

    init(_ text: String) {
        var pieces = ParameterizedField.pieces(of: text)
        value = pieces.removeFirst().lowercased()
        parameters = pieces.compactMap { piece in
            guard let equals = piece.firstIndex(of: "=") else { return nil }
            return (
                piece[..<equals].lowercased(),
                ParameterizedField.unquoted(String(piece[piece.index(after: equals)...]))
            )
        }
    }

    func parameter(_ name: String) -> String? { parameters.first { $0.name == name }?.value }

    /// Splits at semicolons outside quotes; always at least one piece.
    private static func pieces(of text: String) -> [String] {
        var pieces = [""]
        var isQuoted = false
        var isEscaped = false
        for character in text {
            if isEscaped {
                isEscaped = false
            } else if isQuoted, character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
            } else if character == ";", !isQuoted {
                pieces.append("")
                continue
            }
            pieces[pieces.count - 1].append(character)
        }
        return pieces.map(trimmed)
    }

    private static func unquoted(_ text: String) -> String {
        guard text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") else { return text }
        var result = ""
        var isEscaped = false
        for character in text.dropFirst().dropLast() {
            if character == "\\", !isEscaped {
                isEscaped = true
            } else {
                result.append(character)
                isEscaped = false
            }
        }
        return result
    }
}

/// Without leading and trailing blanks.
func trimmed(_ text: some StringProtocol) -> String {
    let isBlank = { (character: Character) in character == " " || character == "\t" }
    var slice = text.drop(while: isBlank)
    while let last = slice.last, isBlank(last) { slice = slice.dropLast() }
    return String(slice)
}
