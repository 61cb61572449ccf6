import CContract
import HTTP
import HTTPTypes

/// The documents the server carries in itself: openapi.yaml as it was built, and the page that shows it.
enum Contract {
    static let text = unsafe bytes(of: perception_openapi_yaml())
    private static let page = unsafe bytes(of: perception_docs_html())

    /// The page may run the script and use the style that are written in it, known by their SHA-256, and load the contract;
    /// nothing else.
    static let pageResponse: Response = {
        let policy = [
            "default-src 'none'", "connect-src 'self'",
            "script-src 'sha256-pnwtrUyeguUb/1ytmE05I/wHJ9tlgRziGI3uqzmAAJA='",
            "style-src 'sha256-8PZSWGIBM9arSMVWw/SXd8PKRQkak0egtH73WcDEouk='", "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
        var response = Response(contentType: "text/html; charset=utf-8", body: page)
        response.headers[.contentSecurityPolicy] = policy.joined(separator: "; ")
        response.headers[.crossOriginOpenerPolicy] = "same-origin"
        response.headers[.crossOriginEmbedderPolicy] = "require-corp"
        response.headers[.permissionsPolicy] = "camera=(), display-capture=(), geolocation=(), microphone=()"
        return response
    }()

    private static func bytes(of document: perception_document) -> [UInt8] {
        unsafe [UInt8](UnsafeBufferPointer(start: document.bytes, count: document.count))
    }
}
