package import HTTPTypes

/// All routes of a service: a value that selects the route of a request, without sockets.
package struct Router: Sendable {
    private var routes: [String: [Route]] = [:]
    /// The paths with a segment in braces, in the order given.
    private var templates: [(template: PathTemplate, path: String)] = []
    /// Checks every request before anything else. Nil lets it pass.
    let gate: @Sendable (RequestHead) -> Response?
    /// The fields that every answer carries in addition to its own.
    let fields: @Sendable (RequestHead) -> HTTPFields

    /// - Parameters:
    ///   - gate: returns the answer to a request that may not pass, in place of any route, 404 or 405. Must be light.
    ///   - fields: returns fields for every answer. Must be light.
    /// - Precondition: no two routes share method and path.
    package init(
        _ routes: [Route], gate: @escaping @Sendable (RequestHead) -> Response? = { _ in nil },
        fields: @escaping @Sendable (RequestHead) -> HTTPFields = { _ in [:] }
    ) {
        self.gate = gate
        self.fields = fields
        for route in routes {
            precondition(
                !self.routes[route.path, default: []].contains { $0.method == route.method },
                "\(route.method) \(route.path) has two routes")
            if self.routes[route.path] == nil,
                let template = PathTemplate(route.path, spansSegments: route.spansSegments)
            {
                templates.append((template, route.path))
            }
            self.routes[route.path, default: []].append(route)
        }
    }

    package enum Resolution: Sendable {
        /// The route to open. HEAD opens the route of GET.
        case matched(Route)
        /// The answer to OPTIONS: 204 with these methods in `Allow`.
        case options(allow: [HTTPRequest.Method])
        case notFound
        case methodNotAllowed(allow: [HTTPRequest.Method])
    }

    /// An exact path wins over one with a segment in braces.
    /// - Complexity: O(1) in the number of exact paths, O(path) for each other one.
    package func resolve(_ method: HTTPRequest.Method, _ path: String) -> Resolution {
        if method == .options, path == "*" { return .options(allow: allowed(routes.values.flatMap(\.self))) }
        guard let candidates = candidates(path) else { return .notFound }
        let wanted = method == .head && !candidates.contains { $0.method == .head } ? .get : method
        if let route = candidates.first(where: { $0.method == wanted }) { return .matched(route) }
        let allow = allowed(candidates)
        return method == .options ? .options(allow: allow) : .methodNotAllowed(allow: allow)
    }

    private func candidates(_ path: String) -> [Route]? {
        // A request cannot name a template, even if its path equals the template's text.
        if let exact = routes[path], PathTemplate(path) == nil { return exact }
        return templates.first { $0.template.parameter(in: path) != nil }.flatMap { routes[$0.path] }
    }

    /// Every path, with its methods as `Allow` lists them.
    package var paths: [String: [HTTPRequest.Method]] {
        routes.mapValues(allowed)
    }

    private func allowed(_ routes: [Route]) -> [HTTPRequest.Method] {
        var names = Set(routes.map(\.method.rawValue))
        if names.contains("GET") { names.insert("HEAD") }
        names.insert("OPTIONS")
        return names.sorted().compactMap { HTTPRequest.Method(rawValue: $0) }
    }
}
