import Glibc
import HTTP
import HTTPTypes
import JSON
import Tensor

/// `score-table HOST PORT FILE`: posts recorded logits to a running server and prints what it says of each token.
///
/// FILE is a safetensors request for /v1/score of one sequence whose metadata `tokens` names the token at each position.
@main
enum ScoreTable {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let port = UInt16(arguments[2]) else {
            fail("usage: score-table HOST PORT FILE")
        }
        do {
            let recording = try Recording(path: arguments[3])
            let server = SocketAddress.tcp(host: arguments[1], port: port)
            let score = try post(recording.bytes, to: "/v1/score", of: server)
            let entropies = try post(recording.entropyRequest, to: "/v1/entropy?return=entropy", of: server)
            print(table(recording, score: score, entropies: entropies))
            print(try summary(recording, score: score))
        } catch {
            fail("\(error)")
        }
    }

    /// Posts a safetensors file and parses the one that comes back.
    private static func post(_ body: [UInt8], to path: String, of server: SocketAddress) throws -> Safetensors
    {
        let client = try LoopbackClient(connectingTo: server, timeout: .seconds(60))
        let reply = try client.request(
            .post, path, headers: [.contentType: "application/x-safetensors"], body: body)
        guard reply.status == 200 else {
            fail("\(path) answered \(reply.status): \(String(decoding: reply.body, as: UTF8.self))")
        }
        return try Safetensors(parsing: reply.body)
    }

    private static func fail(_ message: String) -> Never {
        let line = Array("score-table: \(message)\n".utf8)
        _ = unsafe line.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
        exit(1)
    }
}
