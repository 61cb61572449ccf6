package import CWorkWatch

/// Checks from time to time whether a result is still wanted. Loops over pixels announce their next operations. The
/// watch reads the clock every few ten thousand operations and checks every four milliseconds, so work of any size ends
/// soon after it is no longer wanted. It does not influence the result.
///
/// It is used by one thread at a time.
@safe
package final class WorkWatch {
    /// The watch in the form for the kernels in C.
    package let pointer: UnsafeMutablePointer<work_watch>
    private let isWanted: (@Sendable () -> Bool)?

    /// - Parameter isWanted: returns whether to continue; nil to continue always.
    package init(_ isWanted: (@Sendable () -> Bool)? = nil) {
        unsafe pointer = .allocate(capacity: 1)
        unsafe pointer.initialize(to: work_watch())
        self.isWanted = isWanted
        guard isWanted != nil else { return }
        unsafe pointer.pointee.context = Unmanaged.passUnretained(self).toOpaque()
        unsafe pointer.pointee.is_wanted = { context in
            guard let context = unsafe context else { return 1 }
            let watch = unsafe Unmanaged<WorkWatch>.fromOpaque(context).takeUnretainedValue()
            return watch.isWanted?() ?? true ? 1 : 0
        }
    }

    deinit { unsafe pointer.deallocate() }

    /// The number of samples that a loop processes between two checks.
    package static let band = 1 << 15

    /// Whether a check has found that the work is no longer wanted.
    package var isOver: Bool { unsafe pointer.pointee.is_over != 0 }

    /// Announces this number of operations, at most some ten thousand. Returns false once they are no longer wanted.
    @inline(__always)
    package func goesOn(_ operations: Int) -> Bool { unsafe work_watch_goes_on(pointer, operations) != 0 }
}
