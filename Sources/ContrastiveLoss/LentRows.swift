package import Tensor
package import TokenDistribution

/// The rows of logits of one token under the views, [V] each and of one element type. They stay in the memory of their
/// owner.
///
/// The creator keeps the memory alive while the value is used.
@safe
package struct LentRows {
    package let elementType: ElementType
    private var rows: PerView<UnsafeRawBufferPointer?> = unsafe PerView(repeating: nil)

    package init(_ elementType: ElementType) { self.elementType = elementType }

    /// Calls `body` with the rows of these views. If their element types differ, they are widened to a common one.
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

    /// Calls `body` with these rows and the row of another view.
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

    /// Calls `body` with an anchor's row and the rows of its references. The last row is empty if there is only one
    /// reference.
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
