import Dispatch
import JSON
import Synchronization
import Tensor
import TokenDistribution

/// All kernels, types, sets and numbers of threads in turn, round after round, so that a disturbance meets them all.
struct Measurement {
    let kernels: [Kernel]
    let megabytes: Int
    let rounds: Int
    private static let threadCounts = [1, 2]

    private struct Candidate {
        let kernel: Kernel?
        let set: InstructionSet?
        let threads: Int
        /// GB/s of each round.
        var bandwidths: [Double] = []
        var results: [Double] = []
    }

    func report() -> [JSONValue.Member] {
        var reads: [JSONValue] = []
        var measurements: [JSONValue] = []
        for type in Workload.types {
            let rows = max(6, (megabytes << 20) / (Workload.vocabulary * type.size))
            let workload = Workload(type, rows: rows)
            let candidates = measured(workload)
            for candidate in candidates {
                guard let kernel = candidate.kernel, let set = candidate.set else {
                    reads.append(row(candidate, type, []))
                    continue
                }
                // The limit of the same round and number of threads.
                guard
                    let read = candidates.first(where: { $0.kernel == nil && $0.threads == candidate.threads }
                    )
                else { continue }
                let fraction = median(zip(candidate.bandwidths, read.bandwidths).map { $0 / $1 })
                measurements.append(
                    row(
                        candidate, type,
                        [
                            .init("kernel", .string(kernel.rawValue)), .init("set", .string(set.rawValue)),
                            .init("fraction_of_read", .number(fraction)),
                        ]))
            }
        }
        return [
            .init("vocabulary", .integer(Int64(Workload.vocabulary))),
            .init("megabytes", .integer(Int64(megabytes))), .init("rounds", .integer(Int64(rounds))),
            .init(
                "instruction_sets", .array(InstructionSet.available.map { .string($0.rawValue) })),
            .init("read", .array(reads)), .init("kernels", .array(measurements)),
        ]
    }

    private func measured(_ workload: Workload) -> [Candidate] {
        var candidates = Measurement.threadCounts.map { Candidate(kernel: nil, set: nil, threads: $0) }
        for kernel in kernels {
            for set in InstructionSet.available {
                candidates += Measurement.threadCounts.map {
                    Candidate(kernel: kernel, set: set, threads: $0)
                }
            }
        }
        let clock = ContinuousClock()
        for _ in 0..<rounds {
            for index in candidates.indices {
                let (kernel, set) = (candidates[index].kernel, candidates[index].set)
                let threads = candidates[index].threads
                let parts = Mutex([Double](repeating: 0, count: threads))
                let time = clock.measure {
                    DispatchQueue.concurrentPerform(iterations: threads) { part in
                        let rows = workload.rows * part / threads..<workload.rows * (part + 1) / threads
                        let result =
                            if let kernel, let set { kernel.run(workload, rows: rows, set) } else {
                                Double(readAll(workload, rows: rows))
                            }
                        parts.withLock { $0[part] = result }
                    }
                }
                candidates[index].bandwidths.append(Double(workload.bytes.count) / (time / .seconds(1)) / 1e9)
                candidates[index].results.append(parts.withLock { $0 }.reduce(0, +))
            }
        }
        for candidate in candidates where Set(candidate.results).count != 1 {
            fail("the same rows gave different bits: \(candidate)")
        }
        return candidates
    }

    private func row(_ candidate: Candidate, _ type: ElementType, _ more: [JSONValue.Member]) -> JSONValue {
        let bandwidth = median(candidate.bandwidths)
        let members =
            more + [
                .init("type", .string(type.rawValue)), .init("threads", .integer(Int64(candidate.threads))),
                .init("gigabytes_per_second", .number(bandwidth)),
            ]
        say(
            members.map { member in
                switch member.value {
                case .number(let number) where member.name == "fraction_of_read":
                    "\((number * 1000).rounded() / 10) %"
                case .number(let number): "\((number * 100).rounded() / 100) GB/s"
                case .string(let word): word
                case .integer(let count): "\(count) thread\(count == 1 ? "" : "s")"
                case .null, .bool, .array, .object: ""
                }
            }.joined(separator: "  "))
        return .object(members)
    }

    private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
