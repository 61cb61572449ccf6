import JSON

/// Where in a reply a reader is, and what it found wrong there: the JSON reader's own closures throw JSON errors only.
struct ReplyCursor {
    /// The list, from the reply's top.
    let list: String
    /// What follows it: an index, a name and so on, as far as the reader is in.
    var position: Int?
    var entry: Entry?
    var detail = ""
    private var fault: EngineReplyError.Reason?

    enum Entry {
        case name(String)
        case index(Int)
    }

    init(_ list: String) { self.list = list }

    var path: String {
        var path = list
        if let position { path += "[\(position)]" }
        switch entry {
        case .name(let name): path += "[\"\(shortened(name))\"]"
        case .index(let index): path += "[\(index)]"
        case nil: break
        }
        return path + detail
    }

    /// To be thrown out of a closure; `error(for:)` then tells the reason.
    mutating func fail(_ reason: EngineReplyError.Reason, _ reader: JSONReader) -> JSONError {
        fault = reason
        return JSONError(.wrongKind(expected: "another value"), byte: reader.position)
    }

    func error(for error: JSONError) -> EngineReplyError {
        EngineReplyError(fault ?? .json(error.reason), path: path, byte: error.byte)
    }
}
