import CMicroHTTPD
import Glibc

/// How the C library treats memory that a request gave back.
package enum ProcessMemory {
    /// Lets freed memory wait for the next request: up to 64 MiB at the end of each heap. By default lists of a few hundred
    /// kilobytes go back to the system at once, and fetching their pages anew took a third of the time of a compact
    /// request. For the whole process; call it before any thread starts.
    package static func keepForTheNextRequest() {
        perception_take_blocks_from_heaps(32 << 20)
        keepHeapEnds()
    }

    /// Gives the free memory of all heaps back to the system, but for that at the end of each thread's heap.
    /// - Complexity: milliseconds for each 100 MB.
    static func giveBack() { perception_give_back_memory() }

    /// From now on each thread gives back the end of its heap with the next large block that it frees; nobody else can.
    static func giveBackHeapEnds() { perception_keep_at_heap_ends(128 << 10) }

    /// Ends ``giveBackHeapEnds()``.
    static func keepHeapEnds() { perception_keep_at_heap_ends(64 << 20) }

    /// Anonymous resident memory in bytes: without mapped files, which others may write to.
    /// - Complexity: a read of /proc, some tens of microseconds.
    static var resident: Int? {
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
