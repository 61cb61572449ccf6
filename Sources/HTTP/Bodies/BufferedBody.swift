/// A sink that collects the body into one array and passes it on when it is complete; see ``ArrivingBytes``.
package final class BufferedBody: BodySink {
    private var bytes: ArrivingBytes
    private let completion: ([UInt8], RequestScope) -> Outcome

    package init(for head: RequestHead, completion: @escaping ([UInt8], RequestScope) -> Outcome) {
        bytes = ArrivingBytes(expecting: head.contentLength)
        self.completion = completion
    }

    package func receive(_ piece: RawSpan) -> Response? {
        bytes.append(piece)
        return nil
    }

    package func finish(_ scope: RequestScope) -> Outcome { completion(bytes.take(), scope) }
}
