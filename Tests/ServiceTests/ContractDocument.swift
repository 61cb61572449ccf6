import HTTP
import JSON
import Testing

/// The contract as the server hands it out, as data.
struct ContractDocument {
    let root: JSONValue

    init() throws {
        root = try TestService().get("/openapi.json").json()
    }

    /// What stands at a path of member names, references followed.
    func at(_ path: String...) -> JSONValue? {
        path.reduce(root as JSONValue?) { value, name in value.flatMap { resolved($0)[name] } }.map(resolved)
    }

    func resolved(_ value: JSONValue) -> JSONValue {
        guard let reference = value["$ref"]?.string else { return value }
        let names = reference.dropFirst(2).split(separator: "/").map(String.init)
        return names.reduce(root) { $0[$1] ?? .null }
    }

    /// Paths with their methods, upper case.
    var routes: Set<String> {
        let methods: Set = ["get", "post", "put", "delete", "patch", "head", "options"]
        return Set(
            (root["paths"]?.members ?? []).flatMap { path in
                (path.value.members ?? []).filter { methods.contains($0.name) }.map {
                    "\($0.name.uppercased()) \(path.name)"
                }
            })
    }

    /// Requests and replies in JSON of one POST operation, by the examples' names.
    func examples(_ path: String) -> [(name: String, request: JSONValue, reply: JSONValue?)] {
        let requests = at("paths", path, "post", "requestBody", "content", "application/json", "examples")
        let replies = at("paths", path, "post", "responses", "200", "content", "application/json", "examples")
        return (requests?.members ?? []).compactMap { member in
            guard let request = resolved(member.value)["value"] else { return nil }
            return (member.name, request, replies?[member.name].flatMap { resolved($0)["value"] })
        }
    }
}
