/// One signed divergence in a loss: weight · D(anchor ‖ reference).
package struct Term: Sendable, Equatable {
    package var pair: ViewPair
    /// Finite and not 0. A positive weight pulls the views together, a negative one pushes them apart.
    package var weight: Double

    package init(_ anchor: View, _ reference: View, weight: Double) {
        pair = ViewPair(anchor: anchor, reference: reference)
        self.weight = weight
    }

    /// The maximum number of terms in a loss.
    package static let limit = 8
    /// m = D(original ‖ preserving) − D(original ‖ removing): the contrast of arXiv 2601.00501.
    package static let contrastive = [
        Term(.original, .preserving, weight: 1), Term(.original, .removing, weight: -1),
    ]
}

/// An ordered pair of different views.
package struct ViewPair: Sendable, Hashable {
    package var anchor: View
    package var reference: View

    package init(anchor: View, reference: View) {
        precondition(anchor != reference)
        self.anchor = anchor
        self.reference = reference
    }

    package static let all = View.allCases.flatMap { anchor in
        View.allCases.filter { $0 != anchor }.map { ViewPair(anchor: anchor, reference: $0) }
    }

    /// The index of the pair in `all`, from 0 to 5.
    package var index: Int {
        anchor.index * 2 + reference.index - (reference.index > anchor.index ? 1 : 0)
    }
}

/// One number for each pair of views, by `ViewPair.index`.
package struct PairValues: Sendable, Equatable {
    private var values = SIMD8<Double>.zero

    package init() {}

    package subscript(pair: ViewPair) -> Double {
        get { values[pair.index] }
        set { values[pair.index] = newValue }
    }
}
