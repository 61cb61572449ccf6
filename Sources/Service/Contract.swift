import CContract

/// The documents the server carries in itself: openapi.yaml as it was built, and the page that shows it.
enum Contract {
    static let text = unsafe bytes(of: perception_openapi_yaml())
    static let page = unsafe bytes(of: perception_docs_html())

    private static func bytes(of document: perception_document) -> [UInt8] {
        unsafe [UInt8](UnsafeBufferPointer(start: document.bytes, count: document.count))
    }
}
