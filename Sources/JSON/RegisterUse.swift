internal import CNumberText

/// What the loops over numbers of a text are compiled for: the widest registers that the processor has, unless there is a
/// limit.
package enum RegisterUse {
    /// Uses no wider registers from now on, in the whole process. The numbers are the same bits.
    package static func limit(toBits bits: Int) {
        _ = number_text_limit(bits >= 256 ? number_text_width_256 : number_text_width_baseline)
    }
}
