import JSON

/// The position of a reader in a reply, and the fault found there. It exists because closures of the JSON reader throw
/// only JSON errors.
struct ReplyCursor {
    /// The path of the list in the reply.
    let list: String
    /// The path within the list: an index, a name and so on.
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

    /// The error to throw from a closure. `error(for:)` then returns the reason.
    mutating func fail(_ reason: EngineReplyError.Reason, _ reader: JSONReader) -> JSONError {
        fault = reason
        return JSONError(.wrongKind(expected: "another value"), byte: reader.position)
    }

    func error(for error: JSONError) -> EngineReplyError {
        EngineReplyError(fault ?? .json(error.reason), path: path, byte: error.byte)
    }
}
