import HTTP
import SharedFiles

/// The files of the shared directory that a request names in its query, for its tensors and for the reply's.
struct SharedNames: Sendable {
    let input: String?
    let output: String?

    static let inputParameter = "input_file"
    static let outputParameter = "output_file"

    /// - Throws: 400 for a name given twice, 422 if both names are equal, because the result would replace its input.
    init(_ query: [QueryItem]) throws(Problem) {
        func value(_ name: String) throws(Problem) -> String? {
            let values = query.filter { $0.name == name }.map(\.value)
            guard values.count < 2 else {
                throw Problem(.malformedRequest, Problem.Reason("given more than once", field: name))
            }
            return values.first
        }
        input = try value(SharedNames.inputParameter)
        output = try value(SharedNames.outputParameter)
        if let output, output == input {
            throw Problem(
                .conflictingFields,
                Problem.Reason(
                    "the result would replace the input", field: SharedNames.outputParameter,
                    expected: "another name than \(SharedNames.inputParameter)", found: output))
        }
    }

    /// The query without these names, which leaves options only.
    static func without(_ query: [QueryItem]) -> [QueryItem] {
        query.filter { $0.name != inputParameter && $0.name != outputParameter }
    }
}

/// The file that contains a request's tensors.
struct SharedInput: Sendable {
    let name: String
    let file: SharedFile

    init(_ name: String, in directory: SharedDirectory) throws(Problem) {
        self.name = name
        file = try shared(SharedNames.inputParameter, name) { () throws(SharedFileError) in
            try directory.file(name)
        }
    }

    /// Call this after the last read and before a result is sent.
    func checkUnchanged() throws(Problem) {
        try shared(SharedNames.inputParameter, name) { () throws(SharedFileError) in
            try file.checkUnchanged()
        }
    }
}

/// Calls `body`, and reports errors of a file in the words of the contract.
/// - Parameter field: the parameter that names the file.
func shared<Result>(
    _ field: String, _ name: String, _ body: () throws(SharedFileError) -> Result
) throws(Problem) -> Result {
    do throws(SharedFileError) { return try body() } catch {
        throw Problem(error, field: field, name: name)
    }
}

extension ServiceSettings {
    /// - Parameter field: the parameter that names a file.
    /// - Throws: 422 if the server shares no directory.
    func directory(for field: String) throws(Problem) -> SharedDirectory {
        guard let sharedDirectory else {
            throw Problem(
                .invalidSharedFile, "this server shares no directory; start it with --shared-dir",
                field: field)
        }
        return sharedDirectory
    }
}
