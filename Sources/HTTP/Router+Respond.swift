extension Router {
    /// Answers a request without a socket, by the same rules as ``Server``: for tests.
    ///
    /// The body reaches the sink in pieces of `chunk` bytes, heavy work runs inline and a streamed reply is collected.
    package func respond(
        to head: RequestHead, body: [UInt8] = [], chunk: Int = 65_536, maxBodyBytes: Int = .max,
        render: RefusalRenderer
    ) -> Response {
        let admission = admit(head, maxBodyBytes: maxBodyBytes)
        switch admission {
        case .refused(let refusal, _): return refusal.response(render, head)
        case .answered(let response, _): return response
        case .open(let sink, _, let limit):
            if body.count > limit {
                let refusal = Refusal.bodyTooLarge(
                    limit: limit, declared: head.contentLength, received: body.count)
                return refusal.response(render, head)
            }
            let span = unsafe body.span.bytes
            for start in stride(from: 0, to: body.count, by: chunk) {
                let piece = span.extracting(start..<min(start + chunk, body.count))
                if let response = sink.receive(piece) { return response }
            }
            switch sink.finish() {
            case .reply(let response): return response
            case .work(let work): return work()
            case .batch(let work): return work { true }.whole
            }
        }
    }
}

extension Response {
    /// With the rest of the body behind the body.
    fileprivate var whole: Response {
        guard let rest else { return self }
        var whole = self
        whole.rest = nil
        for index in 0..<rest.pieceCount { whole.body += rest.piece(index) ?? [] }
        return whole
    }
}
