/// The memory and time that work on pictures needs, known before anything is allocated. All numbers saturate.
///
/// It counts samples, tables, and memory of the codecs' libraries. It does not count small objects, less than four
/// kibibytes for a step, which the plan of a request adds.
package struct WorkDemand: Sendable, Equatable {
    /// The most bytes that are allocated at once in addition to the input, including the result.
    package let peakBytes: Int
    /// The bytes of these that remain allocated at the end: the result, or 0 if the result is the input.
    package let keptBytes: Int
    /// The cost in operations of a quarter of a nanosecond on one core of 2020, to within a factor of about three.
    /// `step-benchmark` compares it with measurements.
    package let operations: Int

    package init(peakBytes: Int, keptBytes: Int, operations: Int) {
        self.peakBytes = peakBytes
        self.keptBytes = keptBytes
        self.operations = operations
    }

    /// The demand of work that returns its input.
    package static let nothing = WorkDemand(peakBytes: 0, keptBytes: 0, operations: 0)

    /// Returns the demand of work that makes a picture.
    ///
    /// - Parameters:
    ///   - extra: the bytes held in addition to the result while it is made.
    ///   - operations: the operations for each pixel.
    ///   - perRow: further operations for each row, which matter if rows are narrow.
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

    /// Returns the same memory with other operations.
    package func costing(_ operations: Int) -> WorkDemand {
        WorkDemand(peakBytes: peakBytes, keptBytes: keptBytes, operations: operations)
    }

    /// Returns the demand of this work followed by other work on its result. The result is freed if the other work
    /// makes its own.
    package func followed(by next: WorkDemand) -> WorkDemand {
        WorkDemand(
            peakBytes: max(peakBytes, keptBytes.plusSaturating(next.peakBytes)),
            keptBytes: next.keptBytes == 0 ? keptBytes : next.keptBytes,
            operations: operations.plusSaturating(next.operations))
    }

    /// Returns the same demand while this number of other bytes is held.
    package func beside(_ bytes: Int) -> WorkDemand {
        WorkDemand(
            peakBytes: peakBytes.plusSaturating(bytes), keptBytes: keptBytes, operations: operations)
    }

    /// The bytes of an array with its header, as rounded by the allocator.
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
