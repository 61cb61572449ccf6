import Glibc
import JSON
import Tensor
import TokenDistribution

/// Bandwidth of the kernels over rows of logits, beside that of a loop that only reads.
///
/// Usage: kernel-benchmark [--megabytes N] [--rounds N] [--kernels KERNEL,…]    JSON on stdout, a table on stderr
///        kernel-benchmark --once KERNEL TYPE SET [--repeats N]    runs one kernel N times, for counting instructions
@main
enum KernelBenchmark {
    static func main() {
        var arguments = Array(CommandLine.arguments.dropFirst())
        let megabytes = option("--megabytes", 1024, from: 1, &arguments)
        let rounds = option("--rounds", 9, from: 1, &arguments)
        let repeats = option("--repeats", 10, from: 0, &arguments)
        let kernels = kernels(&arguments)
        if arguments.first == "--once" {
            guard arguments.count == 4, let kernel = Kernel(rawValue: arguments[1]),
                let type = Workload.types.first(where: { $0.rawValue == arguments[2] }),
                let set = InstructionSet(rawValue: arguments[3])
            else { fail(usage) }
            guard set.isAvailable else { fail("this machine has no \(set)") }
            once(kernel, type, set, repeats: repeats)
        } else {
            guard arguments.isEmpty else { fail(usage) }
            let report = Measurement(kernels: kernels, megabytes: megabytes, rounds: rounds).report()
            print(JSONValue.object(report).text)
        }
    }

    static var usage: String {
        """
        usage: kernel-benchmark [--megabytes N] [--rounds N] [--kernels KERNEL,…]
               kernel-benchmark --once KERNEL TYPE SET [--repeats N]
        KERNEL: \(words(Kernel.allCases)); TYPE: \(words(Workload.types)); SET: \(words(InstructionSet.allCases))
        """
    }

    /// One row, or as many as are read together, again and again; prints how many elements one repeat is.
    private static func once(_ kernel: Kernel, _ type: ElementType, _ set: InstructionSet, repeats: Int) {
        let workload = Workload(type, rows: kernel.rowsAtOnce)
        var last = 0.0
        for _ in 0..<repeats { last = kernel.run(workload, rows: 0..<workload.rows, set) }
        print(
            JSONValue.object([
                .init("elements", .integer(Int64(workload.rows * Workload.vocabulary))),
                .init("result", .number(last)),
            ]).text)
    }

    /// Those named, or all.
    private static func kernels(_ arguments: inout [String]) -> [Kernel] {
        guard let place = arguments.firstIndex(of: "--kernels") else { return Kernel.allCases }
        let words = place + 1 < arguments.count ? arguments[place + 1].split(separator: ",") : []
        let kernels = words.compactMap { Kernel(rawValue: String($0)) }
        guard !words.isEmpty, kernels.count == words.count else { fail(usage) }
        arguments.removeSubrange(place...place + 1)
        return kernels
    }

    private static func words<Choice: RawRepresentable<String>>(_ choices: [Choice]) -> String {
        choices.map(\.rawValue).joined(separator: ", ")
    }

    private static func option(_ name: String, _ standard: Int, from least: Int, _ arguments: inout [String])
        -> Int
    {
        guard let place = arguments.firstIndex(of: name) else { return standard }
        guard place + 1 < arguments.count, let value = Int(arguments[place + 1]), value >= least else {
            fail("\(name) needs a number from \(least) on")
        }
        arguments.removeSubrange(place...place + 1)
        return value
    }
}

func fail(_ message: String) -> Never {
    say(message)
    exit(64)
}

/// A line on standard error.
func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
