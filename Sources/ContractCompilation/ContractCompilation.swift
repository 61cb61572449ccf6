import PackagePlugin

/// Has contract-compiler make JSON of the contract whenever openapi.yaml has changed.
@main struct ContractCompilation: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: Target) throws -> [Command] {
        let contract = context.package.directoryURL.appending(path: "openapi.yaml")
        let source = context.pluginWorkDirectoryURL.appending(path: "ContractText.swift")
        return [
            .buildCommand(
                displayName: "Compiling openapi.yaml",
                executable: try context.tool(named: "contract-compiler").url,
                arguments: [contract.path(), source.path()],
                inputFiles: [contract], outputFiles: [source])
        ]
    }
}
