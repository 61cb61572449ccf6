import ArgumentParser

/// The command line; without a subcommand it serves.
@main
struct PerceptionServer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "perception-server",
        abstract:
            "Perturbed views of images, and contrastive perception losses with their gradients, over HTTP.",
        discussion: """
            Every option is also an environment variable: --max-body-bytes is PERCEPTION_MAX_BODY_BYTES.
            The argument wins over the environment, the environment over the default.
            In a browser: a playground at /, the contract at /docs (also /openapi.yaml, /openapi.json).
            """,
        version: Serve.version,
        subcommands: [Serve.self, Healthcheck.self],
        defaultSubcommand: Serve.self)

    static func main() {
        CommandThread.run { main(ProcessStart.arguments) }
    }
}
