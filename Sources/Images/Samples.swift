/// Arrays of samples that are filled piece by piece, because a large one takes time.
package enum Samples {
    /// - Returns: nil once nobody wants it.
    package static func copy(of source: Span<UInt8>, _ watch: WorkWatch) -> [UInt8]? {
        let whole = source.count
        let copy = unsafe source.withUnsafeBufferPointer { source in
            unsafe [UInt8](unsafeUninitializedCapacity: whole) { target, count in
                while count < whole {
                    let piece = min(WorkWatch.band, whole - count)
                    guard watch.goesOn(piece) else { break }
                    _ = unsafe target[count...].initialize(fromContentsOf: source[count..<count + piece])
                    count += piece
                }
            }
        }
        return copy.count == whole ? copy : nil
    }

    /// - Returns: nil once nobody wants it.
    package static func repeating(_ level: UInt8, count: Int, _ watch: WorkWatch) -> [UInt8]? {
        let samples = unsafe [UInt8](unsafeUninitializedCapacity: count) { target, made in
            while made < count {
                let piece = min(WorkWatch.band, count - made)
                guard watch.goesOn(piece) else { break }
                unsafe target[made..<made + piece].initialize(repeating: level)
                made += piece
            }
        }
        return samples.count == count ? samples : nil
    }
}
