internal import CProcess

/// The arguments and environment of the process, available even without /proc.
package enum ProcessStart {
    /// The command line without the name of the program.
    package static var arguments: [String] {
        (1..<max(1, process_argument_count())).compactMap { place in
            unsafe process_argument(place).map { unsafe String(cString: $0) }
        }
    }

    /// Every variable of the environment with its value.
    package static var variables: [(name: String, value: String)] {
        var variables: [(name: String, value: String)] = []
        var place: CInt = 0
        while let text = unsafe process_variable(place) {
            let parts = unsafe String(cString: text).split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            variables.append((String(parts[0]), parts.count > 1 ? String(parts[1]) : ""))
            place += 1
        }
        return variables
    }
}
