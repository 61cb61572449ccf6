import ArgumentParser
import ProcessFacts

/// The command line. Without a subcommand it serves.
@main
struct PerceptionServer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "perception-server",
        abstract:
            "An HTTP service of perturbed image views, and of perception losses with their gradients.",
        discussion: """
            Every option is also an environment variable: --max-body-bytes is PERCEPTION_MAX_BODY_BYTES.
            An argument overrides the environment, the environment overrides the default.
            In a browser, / is a playground and /docs the API reference (also /openapi.yaml, /openapi.json).
            """,
        version: Serve.version,
        subcommands: [Serve.self, Healthcheck.self],
        defaultSubcommand: Serve.self)

    static func main() {
        CommandThread.run { main(ProcessStart.arguments) }
    }
}
