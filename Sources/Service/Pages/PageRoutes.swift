import HTTP
import HTTPTypes

/// What a browser shows: empty pages and what they are made of. They are the same bytes for everybody, and need no token:
/// all that they show is fetched with it.
enum PageRoutes {
    /// The pages by their paths. Their links are relative, so that they work below a proxy's prefix, too.
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

    /// Whether a path is one of these, or would be.
    static func contain(_ path: String) -> Bool { pages[path] != nil || path.hasPrefix(assets) }

    private static func response(_ path: String, _ head: RequestHead) -> Response {
        guard let asset = PageAsset.all[path] else {
            let problem = Problem(
                .notFound, Problem.Reason("no page uses this file", field: "path", found: path))
            return problem.response(requestID: head.requestID)
        }
        // With 304 the body says its length and stays here.
        let status: HTTPResponse.Status = Precondition.isCurrent(asset.entityTag, head) ? .notModified : .ok
        var response = Response(status, contentType: asset.mediaType, body: asset.bytes)
        response.headers[.eTag] = asset.entityTag
        // Kept, and asked for again each time: a server of another version must not meet a script of this one.
        response.headers[.cacheControl] = "no-cache"
        for (name, value) in isolation { response.headers[name] = value }
        return response
    }

    /// A page may run this server's scripts, ask this server, and show pictures of this server's or its own; nothing else.
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
