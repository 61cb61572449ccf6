/// Returns a list of `count` numbers without initial values. Every element must be written before any is read.
///
/// The list has memory of its own only if it has elements: all empty arrays share one address, which must not be written
/// to.
/// - Complexity: O(1) beside the allocation.
@unsafe
@inlinable
package func uninitializedList<Number: BitwiseCopyable>(_ count: Int) -> [Number] {
    if count == 0 { return [] }
    return unsafe [Number](unsafeUninitializedCapacity: count) { $1 = count }
}
