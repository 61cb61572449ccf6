internal import CNumberLists

/// What the loops over lists of tokens are compiled for: the widest registers that the processor has, unless there is a limit.
package enum RegisterWidth {
    /// Uses no wider registers from now on, in the whole process. The results are the same bits.
    package static func limit(toBits bits: Int) {
        _ = number_lists_limit(
            bits >= 512
                ? number_lists_width_512 : bits >= 256 ? number_lists_width_256 : number_lists_width_baseline)
    }
}
