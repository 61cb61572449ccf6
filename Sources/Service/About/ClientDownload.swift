import ClientWheel
import HTTP
import HTTPTypes

/// Routes that serve the Python client, for clusters without a package index.
enum ClientDownload {
    /// A page of links, as pip's `--find-links` reads it, with the digest that pip checks.
    static func listing(_ path: String) -> Route {
        Route(.get, path) { _ in
            let wheel = ClientWheel.own
            let page = """
                <!DOCTYPE html>
                <html lang="en">
                <head><meta charset="utf-8"><title>Client of Perception Server</title></head>
                <body><a href="\(wheel.name)#sha256=\(wheel.digest)">\(wheel.name)</a></body>
                </html>

                """
            return .reply(Response(text: page, contentType: "text/html; charset=utf-8"))
        }
    }

    /// The route of the only wheel. Its name includes the version, so a request for an older name is refused instead
    /// of answered with a different client.
    static func wheel(_ path: String) -> Route {
        let template = PathTemplate(path)
        return Route(.get, path) { head in
            let wheel = ClientWheel.own
            guard template?.parameter(in: head.path) == wheel.name else {
                let problem = Problem(
                    .notFound,
                    Problem.Reason(
                        "this server hands out another file", field: "path",
                        expected: "/client/\(wheel.name)",
                        found: head.path))
                return .reply(problem.response(requestID: head.requestID))
            }
            return .reply(Response(contentType: "application/octet-stream", body: wheel.bytes))
        }
    }
}
