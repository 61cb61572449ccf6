internal import CProcess
import Glibc

/// The memory of the process, and the C library's treatment of freed memory.
package enum ProcessMemory {
    /// Lets freed memory wait for the next request: up to 64 MiB at the end of each heap. By default the C library returns
    /// lists of a few hundred kilobytes to the system immediately. Fetching their pages again took a third of the time of
    /// a compact request. This applies to the whole process. Call it before any thread starts.
    package static func keepForTheNextRequest() {
        process_allocate_from_heaps_up_to(32 << 20)
        keepHeapEnds()
    }

    /// Returns the free memory of all heaps to the system, except that at the end of each thread's heap.
    /// - Complexity: milliseconds for each 100 MB.
    package static func giveBack() { process_give_back_memory() }

    /// From now on each thread returns the end of its heap with the next large block that it frees. No other thread can.
    package static func giveBackHeapEnds() { process_keep_at_heap_ends(128 << 10) }

    /// Ends ``giveBackHeapEnds()``.
    package static func keepHeapEnds() { process_keep_at_heap_ends(64 << 20) }

    /// Anonymous resident memory in bytes. It excludes mapped files, which other processes may write to. Nil without /proc.
    /// - Complexity: a read of /proc, some tens of microseconds.
    package static var resident: Int? {
        guard let file = unsafe fopen("/proc/self/status", "r") else { return nil }
        defer { unsafe fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe fread(&bytes, 1, bytes.count, file)
        let line = bytes[..<count].split(separator: UInt8(ascii: "\n")).first {
            $0.starts(with: "RssAnon:".utf8)
        }
        let kibibytes = line?.filter { (0x30...0x39).contains($0) }
        return kibibytes.flatMap { Int(String(decoding: $0, as: UTF8.self)) }.map { $0 << 10 }
    }
}
