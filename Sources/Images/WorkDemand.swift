/// What some work on pictures takes, known before anything is allocated. Every number saturates.
///
/// Counted are samples, tables and what the codecs' libraries hold. Small objects, less than four kibibytes for a step, are no
/// part of it: who plans a request claims them.
package struct WorkDemand: Sendable, Equatable {
    /// The most bytes that are allocated at once beside what the work was given; its result is among them.
    package let peakBytes: Int
    /// Of these, what is still allocated when it is done: its result, or 0 where that is what it was given.
    package let keptBytes: Int
    /// What it costs, in operations of a quarter of a nanosecond on one core of 2020, to within a factor of about three:
    /// `step-benchmark` holds it against what it measures.
    package let operations: Int

    package init(peakBytes: Int, keptBytes: Int, operations: Int) {
        self.peakBytes = peakBytes
        self.keptBytes = keptBytes
        self.operations = operations
    }

    /// Of work that hands back what it was given.
    package static let nothing = WorkDemand(peakBytes: 0, keptBytes: 0, operations: 0)

    /// Of work that makes a picture.
    ///
    /// - Parameters:
    ///   - extra: bytes that are held beside the result while it is made.
    ///   - operations: for each of its pixels.
    ///   - perRow: for each of its rows beside that, which counts where they are narrow.
    package static func picture(
        _ size: PixelSize, extra: Int = 0, operations: Int, perRow: Int = 0
    ) -> WorkDemand {
        let bytes = arrayBytes(size.pixelCount.timesSaturating(3))
        return WorkDemand(
            peakBytes: bytes.plusSaturating(extra), keptBytes: bytes,
            operations: self.operations(size, perPixel: operations, perRow: perRow))
    }

    package static func operations(_ size: PixelSize, perPixel: Int, perRow: Int) -> Int {
        size.pixelCount.timesSaturating(perPixel).plusSaturating(size.height.timesSaturating(perRow))
    }

    /// The same memory with other operations.
    package func costing(_ operations: Int) -> WorkDemand {
        WorkDemand(peakBytes: peakBytes, keptBytes: keptBytes, operations: operations)
    }

    /// Work on this one's result, which is let go afterwards where the other has made one of its own.
    package func followed(by next: WorkDemand) -> WorkDemand {
        WorkDemand(
            peakBytes: max(peakBytes, keptBytes.plusSaturating(next.peakBytes)),
            keptBytes: next.keptBytes == 0 ? keptBytes : next.keptBytes,
            operations: operations.plusSaturating(next.operations))
    }

    /// The same while so many other bytes are held.
    package func beside(_ bytes: Int) -> WorkDemand {
        WorkDemand(
            peakBytes: peakBytes.plusSaturating(bytes), keptBytes: keptBytes, operations: operations)
    }

    /// What an array of bytes takes with its header, as the allocator rounds it.
    package static func arrayBytes(_ count: Int) -> Int {
        count.plusSaturating(count < 100_000 ? 64 : 4160)
    }
}

extension Int {
    package func plusSaturating(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    package func timesSaturating(_ other: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
