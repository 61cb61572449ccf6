import Batches
internal import CNumberLists
internal import CTokenLoss

// Lends lists of numbers as the pointers that the C code takes. An empty list is a null pointer.

extension TokenContrast {
    @unsafe
    func withInputs(
        _ logProbabilities: PerView<TokenNumbers?>, _ addends: PerView<[Double]?>, _ responseMask: [UInt8],
        _ mask: [UInt8], _ body: (token_loss_lists) -> Void
    ) {
        unsafe withNumbers(logProbabilities) { logProbabilities in
            unsafe withPointers(addends) { addends in
                unsafe responseMask.withUnsafeBufferPointer { response in
                    unsafe mask.withUnsafeBufferPointer { mask in
                        var lists = unsafe token_loss_lists()
                        unsafe lists.log_probs = logProbabilities
                        unsafe lists.addends = addends
                        unsafe lists.response = response.baseAddress
                        unsafe lists.mask = mask.baseAddress
                        unsafe body(lists)
                    }
                }
            }
        }
    }

    @unsafe
    func withOutputs(_ outputs: inout Lists, _ inputs: token_loss_lists, _ body: (token_loss_lists) -> Void) {
        var lists = unsafe inputs
        unsafe withPointers(&outputs.gradients) { gradients in
            unsafe outputs.narrowLoss.withMutableFloats { narrowLoss in
                unsafe outputs.contrast.withUnsafeMutableBufferPointer { contrast in
                    unsafe outputs.isClamped.withUnsafeMutableBufferPointer { isClamped in
                        unsafe outputs.loss.withUnsafeMutableBufferPointer { loss in
                            unsafe lists.gradients = gradients
                            unsafe lists.narrow_loss = narrowLoss
                            unsafe lists.contrast = contrast.isEmpty ? nil : contrast.baseAddress
                            unsafe lists.is_clamped = isClamped.isEmpty ? nil : isClamped.baseAddress
                            unsafe lists.loss = loss.isEmpty ? nil : loss.baseAddress
                            unsafe body(lists)
                        }
                    }
                }
            }
        }
    }

    private typealias Numbers = (number_lists_source, number_lists_source, number_lists_source)
    private typealias Inputs = (UnsafePointer<Double>?, UnsafePointer<Double>?, UnsafePointer<Double>?)
    private typealias Outputs = (
        UnsafeMutablePointer<Float>?, UnsafeMutablePointer<Float>?, UnsafeMutablePointer<Float>?
    )

    @unsafe
    private func withNumbers(_ lists: PerView<TokenNumbers?>, _ body: (Numbers) -> Void) {
        unsafe (lists.original ?? []).withSource { original in
            unsafe (lists.preserving ?? []).withSource { preserving in
                unsafe (lists.removing ?? []).withSource { removing in
                    unsafe body((original, preserving, removing))
                }
            }
        }
    }

    @unsafe
    private func withPointers(_ lists: PerView<[Double]?>, _ body: (Inputs) -> Void) {
        func address(_ list: UnsafeBufferPointer<Double>) -> UnsafePointer<Double>? {
            list.isEmpty ? nil : list.baseAddress
        }
        unsafe (lists.original ?? []).withUnsafeBufferPointer { original in
            unsafe (lists.preserving ?? []).withUnsafeBufferPointer { preserving in
                unsafe (lists.removing ?? []).withUnsafeBufferPointer { removing in
                    unsafe body((address(original), address(preserving), address(removing)))
                }
            }
        }
    }

    @unsafe
    private func withPointers(_ lists: inout PerView<FloatList?>, _ body: (Outputs) -> Void) {
        unsafe lists.original.withMutableFloats { original in
            unsafe lists.preserving.withMutableFloats { preserving in
                unsafe lists.removing.withMutableFloats { removing in
                    unsafe body((original, preserving, removing))
                }
            }
        }
    }
}

extension token_loss_lists {
    /// The lists from token `count` on.
    @unsafe
    func advanced(by count: Int) -> token_loss_lists {
        var rest = unsafe self
        unsafe rest.log_probs.0 = log_probs.0.advanced(by: count)
        unsafe rest.log_probs.1 = log_probs.1.advanced(by: count)
        unsafe rest.log_probs.2 = log_probs.2.advanced(by: count)
        unsafe rest.addends.0 = addends.0.map { unsafe $0 + count }
        unsafe rest.addends.1 = addends.1.map { unsafe $0 + count }
        unsafe rest.addends.2 = addends.2.map { unsafe $0 + count }
        unsafe rest.response += count
        unsafe rest.mask += count
        unsafe rest.contrast = contrast.map { unsafe $0 + count }
        unsafe rest.loss = loss.map { unsafe $0 + count }
        unsafe rest.narrow_loss = narrow_loss.map { unsafe $0 + count }
        unsafe rest.is_clamped = is_clamped.map { unsafe $0 + count }
        unsafe rest.gradients.0 = gradients.0.map { unsafe $0 + count }
        unsafe rest.gradients.1 = gradients.1.map { unsafe $0 + count }
        unsafe rest.gradients.2 = gradients.2.map { unsafe $0 + count }
        return unsafe rest
    }
}
