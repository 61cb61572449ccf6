import CContract

/// The contract that was compiled in.
enum Contract {
    /// The bytes of openapi.yaml.
    static let text: [UInt8] = {
        let document = unsafe contract_openapi_yaml()
        return unsafe [UInt8](UnsafeBufferPointer(start: document.bytes, count: document.count))
    }()
}
