/// openapi.yaml as JSON (UTF-8), its members in the order of the file.
package enum ContractJSON {
    /// ContractCompilation writes `contractText` while the package is built.
    package static let bytes = contractText.withUTF8Buffer { unsafe [UInt8]($0) }
}
