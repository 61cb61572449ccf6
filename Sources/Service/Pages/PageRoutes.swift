import HTTP
import HTTPTypes

/// Routes of the browser pages and their files. They are the same bytes for every client and need no token, because
/// pages are empty and fetch their contents with it.
enum PageRoutes {
    /// The pages by path. Their links are relative, so that they also work below a proxy's prefix.
    private static let pages = ["/": "index.html", "/docs": "docs.html", "/live": "live.html"]
    static let assets = "/assets/"

    static var all: [Route] {
        pages.sorted { $0.key < $1.key }.map { path, file in
            Route(.get, path) { head in .reply(response(file, head)) }
        } + [
            Route(.get, assets + "{path}", spansSegments: true) { head in
                .reply(response(String(head.path.dropFirst(assets.count)), head))
            }
        ]
    }

    /// Whether a path belongs to a page or to the folder of their files.
    static func contain(_ path: String) -> Bool { pages[path] != nil || path.hasPrefix(assets) }

    private static func response(_ path: String, _ head: RequestHead) -> Response {
        guard let asset = PageAsset.all[path] else {
            let problem = Problem(
                .notFound, Problem.Reason("no page uses this file", field: "path", found: path))
            return problem.response(requestID: head.requestID)
        }
        // With 304 the body determines the length but is not sent.
        let status: HTTPResponse.Status = Precondition.isCurrent(asset.entityTag, head) ? .notModified : .ok
        var response = Response(status, contentType: asset.mediaType, body: asset.bytes)
        response.headers[.eTag] = asset.entityTag
        // Browsers keep the file but revalidate it each time, so that a script never meets a server of another version.
        response.headers[.cacheControl] = "no-cache"
        for (name, value) in isolation { response.headers[name] = value }
        return response
    }

    /// The policy of a page. It may run scripts of this server, send requests to it, and show pictures of this server
    /// or its own, but nothing else.
    private static let isolation: [(HTTPField.Name, String)] = [
        (
            .contentSecurityPolicy,
            [
                "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' blob: data:",
                "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
            ].joined(separator: "; ")
        ),
        (.crossOriginOpenerPolicy, "same-origin"), (.crossOriginEmbedderPolicy, "require-corp"),
        (.permissionsPolicy, "camera=(), display-capture=(), geolocation=(), microphone=()"),
    ]
}
