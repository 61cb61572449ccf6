import CMicroHTTPD
import Glibc

extension WorkerPool {
    /// The number of cores that this process may use: those of its affinity mask (`taskset`, a container's CPU set),
    /// but no more than the quota of its control group (`docker run --cpus`), rounded up.
    package static let coreCount: Int = {
        var set = cpu_set_t()
        guard unsafe sched_getaffinity(0, MemoryLayout<cpu_set_t>.size, &set) > -1 else { return 1 }
        let cores = unsafe withUnsafeBytes(of: set) { bytes in
            unsafe bytes.reduce(0) { $0 + $1.nonzeroBitCount }
        }
        return max(1, min(cores, quota("/sys/fs/cgroup/cpu.max") ?? cores))
    }()

    /// - Parameter path: a file with `QUOTA PERIOD` in microseconds, or `max PERIOD` (Linux control groups,
    ///   version 2).
    static func quota(_ path: String) -> Int? {
        guard let file = unsafe fopen(path, "r") else { return nil }
        defer { unsafe fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe fread($0.baseAddress, 1, $0.count, file) }
        let words = String(decoding: bytes[..<count], as: UTF8.self).split { $0 == " " || $0 == "\n" }
        guard words.count == 2, let quota = Int(words[0]), let period = Int(words[1]), quota > 0, period > 0
        else {
            return nil
        }
        return (quota + period - 1) / period
    }
}
