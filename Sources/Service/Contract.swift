import CContract

/// The documents the server carries in itself: openapi.yaml as it was built, and the page that shows it.
enum Contract {
    static let text = unsafe document(perception_openapi_yaml, perception_openapi_yaml_count)
    static let page = unsafe document(perception_docs_html, perception_docs_html_count)

    private static func document(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> [UInt8] {
        unsafe [UInt8](UnsafeBufferPointer(start: bytes, count: count))
    }
}
