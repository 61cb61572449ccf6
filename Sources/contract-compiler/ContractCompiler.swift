import Glibc
import JSON
import Yams

/// Writes Swift that holds openapi.yaml as JSON while the server is built: there is no second copy to fall behind, and
/// the server reads no YAML.
///
/// Usage: `contract-compiler openapi.yaml ContractText.swift`
@main struct ContractCompiler {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count == 3 else { fail("usage: contract-compiler INPUT.yaml OUTPUT.swift") }
        do {
            let yaml = try Files.read(arguments[1])
            guard let root = try Yams.compose(yaml: yaml) else { fail("\(arguments[1]) is empty") }
            let json = try CoreSchema.value(of: root).text
            try Files.write(swift(json), to: arguments[2])
        } catch {
            fail("\(arguments[1]): \(error)")
        }
    }

    /// A raw literal: JSON holds no `"##`, as a quote outside a string is followed by one of `,:]}`, and one inside is
    /// escaped, which two number signs make text.
    private static func swift(_ json: String) -> String {
        """
        /// openapi.yaml as JSON, made by contract-compiler.
        let contractText: StaticString = ##"\(json)"##

        """
    }

    private static func fail(_ message: String) -> Never {
        let line = Array("contract-compiler: \(message)\n".utf8)
        _ = unsafe Glibc.write(STDERR_FILENO, line, line.count)
        exit(EXIT_FAILURE)
    }
}
