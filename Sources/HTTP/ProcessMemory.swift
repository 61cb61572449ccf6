import CMicroHTTPD

/// How the C library treats memory that a request gave back.
package enum ProcessMemory {
    /// Lets freed memory wait for the next request, within bounds: 64 MiB at the end of each heap. By default lists of a
    /// few hundred kilobytes go back to the system at once, and fetching their pages anew took a third of the time
    /// of a compact request. For the whole process; call it before any thread starts.
    package static func keepForTheNextRequest() {
        perception_keep_freed_memory(32 << 20, 64 << 20)
    }
}
