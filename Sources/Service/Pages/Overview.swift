import ContractJSON
import JSON

/// A summary of the contract for language models, and for people who prefer one (llmstxt.org).
enum Overview {
    static let bytes = Array(text.utf8)

    private static let text: String = {
        guard let contract = try? JSONValue(parsing: ContractJSON.bytes) else {
            preconditionFailure("the contract is JSON")
        }
        let info = contract["info"]
        var lines = [
            "# \(info?["title"]?.string ?? "")", "", "> \(info?["summary"]?.string ?? "")", "",
        ]
        lines += [paragraph(info?["description"]?.string ?? ""), ""]
        for tag in contract["tags"]?.array ?? [] {
            guard let name = tag["name"]?.string else { continue }
            lines += ["## \(name.prefix(1).uppercased())\(name.dropFirst())", ""]
            lines += operations(contract, of: name)
            lines.append("")
        }
        lines += [
            "## Contract", "",
            "- [openapi.json](openapi.json): the whole contract in OpenAPI 3.1; [openapi.yaml](openapi.yaml) is the same",
            "- [docs](docs): the contract as a page", "",
        ]
        return lines.joined(separator: "\n")
    }()

    /// Returns the first paragraph of a description.
    private static func paragraph(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).prefix { !$0.isEmpty }
            .joined(separator: " ")
    }

    private static func operations(_ contract: JSONValue, of tag: String) -> [String] {
        (contract["paths"]?.members ?? []).flatMap { path in
            (path.value.members ?? []).compactMap { operation -> String? in
                guard operation.value["tags"]?.array?.contains(.string(tag)) == true,
                    let id = operation.value["operationId"]?.string
                else { return nil }
                let summary = operation.value["summary"]?.string ?? ""
                return "- [\(operation.name.uppercased()) \(path.name)](docs#\(id)): \(summary)"
            }
        }
    }
}
