package import Tensor
package import TokenDistribution

/// One token's rows of logits under the views, [V] each, of one element type, as they lie in memory that somebody lends.
///
/// Whoever makes one keeps the memory alive while it is used.
@safe
package struct LentRows {
    package let elementType: ElementType
    private var rows: PerView<UnsafeRawBufferPointer?> = unsafe PerView(repeating: nil)

    package init(_ elementType: ElementType) { self.elementType = elementType }

    /// Calls `body` with the rows of these views, widened to one element type where they differ.
    package static func lend<Result>(
        _ row: Int, of logits: PerView<VocabularyLogits?>, _ views: Set<View>, _ body: (LentRows) -> Result
    ) -> Result {
        let type = ElementType.common(
            Set(views.compactMap { logits[$0]?.tensor.elementType }))
        return lend(row, of: logits, View.allCases.filter(views.contains)[...], LentRows(type), body)
    }

    private static func lend<Result>(
        _ row: Int, of logits: PerView<VocabularyLogits?>, _ views: ArraySlice<View>, _ lent: LentRows,
        _ body: (LentRows) -> Result
    ) -> Result {
        guard let view = views.first else { return body(lent) }
        guard let tensor = logits[view] else { preconditionFailure("no logits of the \(view) view") }
        return tensor.withRow(row, as: lent.elementType) { span in
            lent.withRow(span, of: view) { lend(row, of: logits, views.dropFirst(), $0, body) }
        }
    }

    /// Calls `body` with one more view's row.
    package func withRow<Result>(
        _ span: RawSpan, of view: View, _ body: (LentRows) -> Result
    ) -> Result {
        unsafe span.withUnsafeBytes { bytes in
            var more = self
            unsafe more.rows[view] = unsafe bytes
            return body(more)
        }
    }

    /// - Precondition: the view's row is lent.
    func withRow<Result>(of view: View, _ body: (RawSpan) -> Result) -> Result {
        guard let row = unsafe rows[view] else { preconditionFailure("no row of the \(view) view is lent") }
        return body(unsafe row.bytes)
    }

    /// An anchor's row and its references'; the second is empty where there is one only.
    func withRows<Result>(
        of anchor: View, _ references: PerReference<View>, _ body: (RawSpan, RawSpan, RawSpan) -> Result
    ) -> Result {
        withRow(of: anchor) { anchor in
            withRow(of: references.first) { first in
                guard let second = references.second else { return body(anchor, first, RawSpan()) }
                return withRow(of: second) { body(anchor, first, $0) }
            }
        }
    }
}
