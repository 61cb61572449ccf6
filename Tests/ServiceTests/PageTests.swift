import Foundation
import HTTP
import HTTPTypes
import JSON
import Service
import TestMaterial
import Testing

/// The pages as they are served: what they are and who may have them, not what they show.
@Suite struct PageTests {
    static let pages = [("/", "index.html"), ("/docs", "docs.html"), ("/live", "live.html")]

    @Test(arguments: pages) func `a page is the file of its name, the same for everybody`(
        path: String, file: String
    ) throws {
        let guarded = TestService(tokens: try bearerTokens("s3cret-1"))
        let page = try guarded.get(path)
        #expect(page.headers[.contentType] == "text/html; charset=utf-8")
        #expect(page.bytes == Array(try Data(contentsOf: folder.appending(path: file))))
        let known = try guarded.send("GET", path, headers: [("Authorization", "Bearer s3cret-1")])
        #expect(known.bytes == page.bytes && known.headers == page.headers)
        #expect(try TestService().get("/assets/" + file).bytes == page.bytes)
    }

    @Test func `every file of the folder is served with its type, and nothing else is`() throws {
        let types = [
            "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8",
            "js": "text/javascript; charset=utf-8", "json": "application/json", "svg": "image/svg+xml",
            "png": "image/png", "jpg": "image/jpeg", "safetensors": "application/x-safetensors",
            "txt": "text/plain; charset=utf-8",
        ]
        let service = TestService()
        let files = try filesOfFolder()
        #expect(files.count >= 3)
        for file in files {
            let reply = try service.get("/assets/" + file)
            #expect(reply.status == .ok, "\(file) is not in Sources/CPages/assets.c")
            #expect(reply.bytes == Array(try Data(contentsOf: folder.appending(path: file))), "\(file)")
            let ending = try #require(file.split(separator: ".").last.map(String.init))
            #expect(reply.headers[.contentType] == types[ending], "\(file)")
        }
        for path in ["", "style", "index.htm", "/index.html", "../assets.c", "..%2fassets.c", "index.html/"] {
            try service.get("/assets/" + path).expectProblem(.notFound)
        }
        // The list names each file once, in order, and none that is gone: that would not compile.
        let list = try String(contentsOf: folder.appending(path: "../assets.c"), encoding: .utf8)
        let listed = list.matches(of: /"assets\/(.+)"/).map { String($0.1) }
        #expect(listed == files.sorted())
    }

    @Test func `a file that the browser has is not sent again`() throws {
        let service = TestService()
        let whole = try service.get("/docs")
        let tag = try #require(whole.headers[.eTag])
        #expect(tag.wholeMatch(of: /"[0-9a-f]{32}"/) != nil && whole.headers[.cacheControl] == "no-cache")
        for sent in [tag, "W/\(tag)", "\"x\", \(tag)", " \(tag) ,\"x\"", "*"] {
            let reply = try service.send("GET", "/docs", headers: [("If-None-Match", sent)])
            #expect(reply.status == .notModified, "\(sent)")
            #expect(reply.headers[.eTag] == tag && reply.headers[.cacheControl] == "no-cache")
        }
        for sent in ["\"x\"", "", String(tag.dropFirst()), "\(tag)x"] {
            #expect(try service.send("GET", "/docs", headers: [("If-None-Match", sent)]).status == .ok)
        }
        #expect(try service.get("/live").headers[.eTag] != tag)
    }

    @Test(arguments: ["/", "/docs", "/live", "/assets/index.html"])
    func `a page may use what this server serves, and nothing from elsewhere`(path: String) throws {
        let reply = try TestService().get(path)
        #expect(
            reply.headers[.contentSecurityPolicy]
                == "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
                + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
        #expect(reply.headers[try #require(HTTPField.Name("Cross-Origin-Opener-Policy"))] == "same-origin")
        #expect(reply.headers[try #require(HTTPField.Name("Cross-Origin-Embedder-Policy"))] == "require-corp")
        #expect(
            reply.headers[try #require(HTTPField.Name("Permissions-Policy"))]?.contains("camera=()") == true)
    }

    /// What the policy would block, and what would not work below a prefix.
    @Test func `pages name no place but below their own`() throws {
        for (_, file) in Self.pages {
            let page = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            #expect(page.lowercased().contains("</html>"))
            for match in page.matches(of: /(?:href|src)\s*=\s*"([^"]*)"/) {
                #expect(match.1.prefixMatch(of: /\/|[a-z]+:/) == nil, "\(file): \(match.1)")
            }
            #expect(page.firstMatch(of: /<[^>]*\s(?:on\w+|style)\s*=/) == nil, "\(file)")
            #expect(page.firstMatch(of: /<style\b|<script(?![^>]*\ssrc=)/) == nil, "\(file)")
        }
    }

    private var folder: URL {
        URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Sources/CPages/assets")
            .standardizedFileURL
    }

    /// Their paths below the folder.
    private func filesOfFolder() throws -> [String] {
        let paths = try #require(FileManager.default.enumerator(atPath: folder.path()))
        // Pictures that tests have, too, are links to them.
        return try paths.compactMap { $0 as? String }.filter { path in
            try folder.appending(path: path).resourceValues(forKeys: [.isDirectoryKey]).isDirectory == false
        }
    }
}
