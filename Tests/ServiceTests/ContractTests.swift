import ContrastiveLoss
import HTTP
import HTTPTypes
import JSON
import Perturbation
import Service
import Testing

/// The contract and the server say the same.
@Suite struct ContractTests {
    @Test func `the routes are the contract's paths, and /v1/info lists them`() throws {
        let contract = try ContractDocument()
        let info = try TestService().get("/v1/info").json()
        let listed = (info["routes"]?.array ?? []).map {
            "\($0["method"]?.string ?? "") \($0["path"]?.string ?? "")"
        }
        #expect(Set(listed) == contract.routes)
        #expect(listed.count == contract.routes.count && contract.routes.count >= 18)
        let served = TestService().service.router.paths.flatMap { path, methods in
            methods.map(\.rawValue).filter { !["HEAD", "OPTIONS"].contains($0) }.map { "\($0) \(path)" }
        }
        #expect(Set(served) == contract.routes)
    }

    @Test func `the versions are equal`() throws {
        let contract = try ContractDocument()
        #expect(contract.at("info", "version") == .string(ServiceSettings.version))
        #expect(try TestService().get("/v1/info").json()["version"] == .string(ServiceSettings.version))
    }

    @Test func `the types of problems are the contract's, in its order`() throws {
        let types = try ContractDocument().at(
            "components", "schemas", "Problem", "properties", "type", "enum")
        #expect(types?.array?.compactMap(\.string) == Problem.Kind.allCases.map(\.rawValue))
    }

    @Test func `every type of problem has its own title, and the contract's table its status`() throws {
        let kinds = Problem.Kind.allCases
        #expect(Set(kinds.map(\.title)).count == kinds.count)
        let rows = (try ContractDocument().at("info", "description")?.string ?? "").split(separator: "\n")
            .compactMap { $0.wholeMatch(of: /\| (\d{3}) \| (.*) \|/) }
        for kind in kinds {
            let row = rows.first { $0.2.contains("`\(kind.rawValue)`") }
            #expect(row.map { Int($0.1) } == kind.status.code, "\(kind.rawValue)")
        }
    }

    static let enumerations: [(String, [String])] = [
        ("Preset", Preset.allCases.map(\.rawValue)), ("RecipeName", RecipeCatalogue.all.map(\.name)),
        // k3 has a second name, which requests may use.
        ("Estimator", Estimator.allCases.flatMap { $0 == .k3 ? ["k3", "low_var_kl"] : [$0.rawValue] }),
    ]

    @Test(arguments: enumerations) func `words of the contract are the code's`(
        schema: String, words: [String]
    ) throws {
        #expect(
            try ContractDocument().at("components", "schemas", schema, "enum")?.array?.compactMap(\.string)
                == words)
    }

    @Test(arguments: [
        ("/v1/score", "ScoreOptions"), ("/v1/mask", "MaskOptions"), ("/v1/entropy", "EntropyOptions"),
        ("/v1/advantages", "AdvantagesOptions"),
    ]) func `options are echoed in the contract's order, and each is a query parameter`(
        path: String, schema: String
    ) throws {
        let contract = try ContractDocument()
        let names = contract.at("components", "schemas", schema, "properties")?.members?.map(\.name)
        let echoed = try TestService().post(text: #"{"rollouts":[]}"#, to: path).json()["options"]?.members?
            .map(\.name)
        #expect(echoed == names)
        let parameters = contract.at("paths", path, "post", "parameters")?.array?
            .map { contract.resolved($0) }.filter { $0["in"] == "query" }.compactMap { $0["name"]?.string }
        #expect(parameters == names)
    }

    @Test(arguments: [
        ("/v1/score", "ScoreColumnarRequest"), ("/v1/mask", "MaskColumnarRequest"),
        ("/v1/entropy", "EntropyColumnarRequest"),
    ]) func `tensors of the contract are taken, and stand in its table`(path: String, schema: String) throws {
        let contract = try ContractDocument()
        let names = try #require(
            contract.at("components", "schemas", schema, "properties")?.members?.map(\.name))
        let table = (contract.at("info", "description")?.string ?? "").split(separator: "\n")
            .filter { $0.hasPrefix("| `") }.joined()
        for name in names where name != "options" {
            let reply = try TestService().post(text: "{\"\(name)\":[]}", to: path)
            #expect(!reply.text.contains("unknown-field"), "\(name)")
            let view = name.split(separator: ".").first.map(String.init) ?? ""
            let generic = name.replacing("\(view).", with: "<view>.")
            #expect(table.contains("`\(name)`") || table.contains("`\(generic)`"), "\(name)")
        }
    }

    @Test func `defaults of the contract are those in effect`() throws {
        let contract = try ContractDocument()
        let options = try #require(
            try TestService().post(text: #"{"rollouts":[]}"#, to: "/v1/score").json()["options"])
        var compared = 0
        for member in contract.at("components", "schemas", "ScoreOptions", "properties")?.members ?? [] {
            guard let value = contract.resolved(member.value)["default"] else { continue }
            #expect(options[member.name].map { isNear($0, value) } == true, "\(member.name)")
            compared += 1
        }
        #expect(compared >= 18)
    }

    @Test(arguments: ["/v1/score", "/v1/entropy", "/v1/mask", "/v1/advantages", "/v1/perturb"])
    func `every example of a request is answered, and with the example of its reply where there is one`(
        path: String
    ) throws {
        let examples = try ContractDocument().examples(path)
        #expect(examples.count >= 2 && examples.contains { $0.reply != nil })
        for (name, request, reply) in examples {
            let found = try TestService().post(json: request, to: path).json()
            if let reply {
                #expect(difference(found, reply) == nil, "\(name): \(difference(found, reply) ?? "")")
            }
        }
    }

    @Test func `the example of a preset is in the catalogue`() throws {
        let example = try #require(
            try ContractDocument().at("components", "examples", "Presets", "value", "presets")?.array?.first)
        let listed = try TestService().get("/v1/presets").json()["presets"]?.array?.first {
            $0["name"] == example["name"]
        }
        let options = example["options"]?.members ?? []
        #expect(!options.isEmpty && listed?["description"] == example["description"])
        for member in options {
            #expect(
                listed?["options"]?[member.name].map { isNear($0, member.value) } == true, "\(member.name)")
        }
    }

    @Test func `the document is served as it was built, as YAML and as JSON`() throws {
        let service = TestService()
        #expect(try service.get("/openapi.yaml").headers[.contentType] == "application/yaml")
        #expect(try service.get("/openapi.yaml").text.hasPrefix("openapi: 3.1.0\n"))
        #expect(try service.get("/openapi.json").headers[.contentType] == "application/json")
        #expect(try service.get("/openapi.json").text.hasPrefix(#"{"openapi":"3.1.0","info":{"#))
    }

    @Test func `the overview names every operation by the contract's summary`() throws {
        let overview = try TestService().get("/llms.txt")
        #expect(overview.headers[.contentType] == "text/plain; charset=utf-8")
        let contract = try ContractDocument()
        #expect(overview.text.hasPrefix("# Perception Server\n\n> "))
        for route in contract.routes {
            let (method, path) = (route.prefix { $0 != " " }, route.drop { $0 != " " }.dropFirst())
            let operation = contract.at("paths", String(path), method.lowercased())
            let summary = try #require(operation?["summary"]?.string)
            let id = try #require(operation?["operationId"]?.string)
            #expect(overview.text.contains("\n- [\(route)](docs#\(id)): \(summary)\n"), "\(route)")
        }
    }

    @Test func `info has every member that the contract requires`() throws {
        let contract = try ContractDocument()
        let info = try TestService().get("/v1/info").json()
        for name in contract.at("components", "schemas", "Info", "required")?.array?.compactMap(\.string)
            ?? []
        {
            #expect(info[name] != nil, "\(name)")
        }
        for name in contract.at("components", "schemas", "Info", "properties", "limits", "required")?.array?
            .compactMap(\.string) ?? []
        {
            #expect(info["limits"]?[name]?.integer ?? 0 >= 1, "\(name)")
        }
        let steps = try TestService().get("/v1/recipes").json()["steps"]?.array?.compactMap {
            $0["step"]?.string
        }
        #expect(
            steps == contract.at("components", "schemas", "StepName", "enum")?.array?.compactMap(\.string))
    }

    private func isNear(_ a: JSONValue, _ b: JSONValue) -> Bool { difference(a, b) == nil }

    /// Where two values differ by more than 1e-6 of a number, or in anything else.
    private func difference(_ a: JSONValue, _ b: JSONValue, _ path: String = "$") -> String? {
        if let x = a.double, let y = b.double {
            return abs(x - y) <= 1e-6 * max(1, abs(y)) ? nil : "\(path): \(x) is not \(y)"
        }
        switch (a, b) {
        case (.array(let x), .array(let y)):
            if x.count != y.count { return "\(path): \(x.count) entries are not \(y.count)" }
            return zip(x, y).enumerated().lazy.compactMap { difference($1.0, $1.1, "\(path)[\($0)]") }.first
        case (.object(let x), .object(let y)):
            if Set(x.map(\.name)) != Set(y.map(\.name)) {
                return "\(path): \(x.map(\.name)) are not \(y.map(\.name))"
            }
            return x.lazy.compactMap { member in
                b[member.name].flatMap { difference(member.value, $0, "\(path).\(member.name)") }
            }.first
        default: return a == b ? nil : "\(path): \(a.text) is not \(b.text)"
        }
    }
}
