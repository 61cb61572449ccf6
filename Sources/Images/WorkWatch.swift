package import CWorkWatch

/// Asks now and then whether somebody still waits for what is being made. Loops over pixels tell it what they are about to
/// do; it looks at the clock every few ten thousand operations and asks every four milliseconds, so that work of any size
/// ends soon after nobody wants it. What is made does not depend on it.
///
/// Used by one thread at a time.
@safe
package final class WorkWatch {
    /// For the kernels in C.
    package let pointer: UnsafeMutablePointer<work_watch>
    private let isWanted: (@Sendable () -> Bool)?

    /// - Parameter isWanted: whether the work shall go on; nil for always.
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

    /// How many samples a loop takes between two looks.
    package static let band = 1 << 15

    /// Whether it has turned out that nobody wants the work any more.
    package var isOver: Bool { unsafe pointer.pointee.is_over != 0 }

    /// So many operations are about to be done, at most some ten thousands; false once nobody wants them.
    @inline(__always)
    package func goesOn(_ operations: Int) -> Bool { unsafe work_watch_goes_on(pointer, operations) != 0 }
}
