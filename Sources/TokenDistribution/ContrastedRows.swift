/// D(a‖p) and D(a‖n) of one token, in nats: how far the anchor's distribution is from those of the other two views.
package struct ViewDivergences: Sendable, Equatable {
    /// From the original to the preserving view.
    package var preserving: Double
    /// From the original to the removing view.
    package var removing: Double

    package init(preserving: Double, removing: Double) {
        self.preserving = preserving
        self.removing = removing
    }
}

/// What one token's rows of logits under the three views say, read together.
package struct ContrastedRows: Sendable, Equatable {
    package var original: RowStatistics.Outcome
    package var preserving: RowStatistics.Outcome
    package var removing: RowStatistics.Outcome
    /// Nil where the statistics of a row are undefined; infinite where the anchor has mass and the reference has none.
    package var divergences: ViewDivergences?
}
