import Logging

/// Variables that look like options but are not. They are probably misspelt, so a limit that someone set has no effect.
struct StrangeVariables {
    /// Sorted.
    let names: [String]
    /// Services with links that look like options, and the number of their variables.
    let services: [(name: String, count: Int)]

    /// - Parameter help: the help text, which names every option, and every variable that is not an option.
    init(_ all: [(name: String, value: String)], help: String) {
        let options = Set(help.matches(of: /--([a-z][a-z-]*)/).map { variable(String($0.1)) })
            .union(help.matches(of: /PERCEPTION_[A-Z_]*[A-Z]/).map { String($0.0) })
        let strange = Set(all.map(\.name).filter { $0.hasPrefix("PERCEPTION_") && !options.contains($0) })
        let links = ServiceLink.variables(all).mapValues { $0.intersection(strange) }.filter {
            !$0.value.isEmpty
        }
        names = strange.subtracting(links.values.flatMap(\.self)).sorted()
        services = links.map { ($0.key, $0.value.count) }.sorted { $0.name < $1.name }
    }

    func warn(_ logger: Logger) {
        for name in names {
            logger.warning("no option has this environment variable", metadata: ["variable": "\(name)"])
        }
        for service in services {
            logger.notice(
                "Kubernetes tells of a Service in variables that are named like options; they are not used",
                metadata: ["service": "\(service.name)", "variables": .stringConvertible(service.count)])
        }
    }
}
