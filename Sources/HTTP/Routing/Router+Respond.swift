extension Router {
    /// Answers a request without a socket, by the same rules as ``Server``: for tests.
    ///
    /// The body reaches the sink in pieces of `chunk` bytes, or of the sizes in `chunks` in turn, heavy work runs inline
    /// and a streamed reply is collected.
    package func respond(
        to head: RequestHead, body: [UInt8] = [], chunk: Int = 65_536, chunks: [Int] = [],
        maxBodyBytes: Int = .max, scope: RequestScope = .unbounded, render: RefusalRenderer
    ) -> Response {
        var response = answer(to: head, body, chunks.isEmpty ? [chunk] : chunks, maxBodyBytes, scope, render)
        response.headers.append(contentsOf: fields(head))
        return response
    }

    private func answer(
        to head: RequestHead, _ body: [UInt8], _ sizes: [Int], _ maxBodyBytes: Int, _ scope: RequestScope,
        _ render: RefusalRenderer
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
            var start = 0
            var turn = 0
            while start < body.count {
                let end = min(start + sizes[turn % sizes.count], body.count)
                if let response = sink.receive(span.extracting(start..<end)) { return response }
                start = end
                turn += 1
            }
            switch sink.finish(scope) {
            case .reply(let response): return response.whole
            case .work(let work), .longWork(let work, _): return work().whole
            case .weighedWork(let work):
                switch work() {
                case .response(let response): return response.whole
                case .longWork(let work, _): return work().whole
                }
            }
        }
    }
}

extension Response {
    /// The response with the streamed rest appended to its body.
    fileprivate var whole: Response {
        guard let rest else { return self }
        var whole = self
        whole.rest = nil
        for index in 0..<rest.pieceCount { whole.body += rest.piece(index) ?? [] }
        return whole
    }
}
