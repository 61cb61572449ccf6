import CMicroHTTPD
import Glibc

extension WorkerPool {
    /// Cores this process may run on: its affinity mask, so `taskset` and container CPU sets count.
    package static let coreCount: Int = {
        var set = cpu_set_t()
        guard unsafe sched_getaffinity(0, MemoryLayout<cpu_set_t>.size, &set) == 0 else { return 1 }
        let bits = unsafe withUnsafeBytes(of: set) { bytes in
            unsafe bytes.reduce(0) { $0 + $1.nonzeroBitCount }
        }
        return max(1, bits)
    }()
}
