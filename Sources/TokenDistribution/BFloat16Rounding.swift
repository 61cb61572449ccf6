internal import CLogitKernels

/// Rounds each of `floats` to the nearest bfloat16, and of two equally near to the even one.
///
/// The same bits by every instruction set.
/// - Parameter results: as many elements, aligned to 2 bytes.
/// - Returns: whether all that was written is finite.
/// - Complexity: O(count)
package func roundToBFloat16(
    _ floats: UnsafeBufferPointer<Float>, into results: UnsafeMutableRawBufferPointer,
    instructionSet: InstructionSet = .inUse
) -> Bool {
    precondition(results.count == 2 * floats.count)
    guard let table = unsafe logit_kernels_contrast_for(instructionSet.number) else {
        preconditionFailure("this machine has no \(instructionSet)")
    }
    return unsafe table.pointee.round_to_bfloat16(floats.baseAddress, floats.count, results.baseAddress) != 0
}
