import ContactSheet
import HTTP
import Images
import Perturbation

/// The memory and work of a contact sheet. Draws and captions exist, but no picture is decoded yet.
struct PreviewPlan: Sendable {
    static let encoding = ImageEncoding.png(level: 6)

    /// Every draw, in order.
    let views: [PerturbedPicture.DrawnView]
    let layout: SheetLayout
    /// The size of the sheet.
    let size: PixelSize
    /// The most bytes that are allocated at once in addition to the body.
    let peakBytes: Int
    /// The cost of the whole sheet; see ``WorkDemand/operations``.
    let operations: Int
    /// The number of draws made at once.
    let workers: Int

    /// - Parameters:
    ///   - sizes: the sizes of the picture and the second one, after orientation.
    ///   - decoding: the demand of decoding those that come from the client.
    ///   - workers: the number of draws that may be made at once.
    init(
        _ request: PreviewRequest, _ views: [PerturbedPicture.DrawnView], _ sizes: [PixelSize],
        _ decoding: [WorkDemand],
        workers: Int
    ) {
        let layout = request.layout(for: sizes[0])
        // If draws do not fit the picture there are none, and the request fails later.
        let captions =
            zip(sizes, request.originals).map { $1($0) }
            + (0..<request.options.draws).map { draw in
                views.indices.contains(draw)
                    ? request.caption(ofDraw: draw, views[draw], of: sizes[0])
                    : Caption(heading: "", words: [])
            }
        let sheet = Sheet(
            layout, title: request.title, cells: captions.map { Sheet.Cell(picture: nil, caption: $0) })
        let scaled = request.originals.indices.map { place in
            PixelImage.resizingDemand(from: sizes[place], to: layout.fitted(sizes[place]))
        }
        let draws = views.map { view in
            view.demand(for: sizes[0]) { reference in
                request.drawing.index(of: reference).map { sizes[$0] }
            }.followed(by: PixelImage.resizingDemand(from: view.size, to: layout.fitted(view.size)))
        }
        let paper = WorkDemand.picture(sheet.size, operations: 20)
        let drawn = paper.followed(by: Self.encoding.demand(for: sheet.size))
        self.workers = max(1, min(workers, views.count))

        let decoded = decoding.reduce(0) { $0.plusSaturating($1.keptBytes) }
        let reading = decoding.map { $0.peakBytes - $0.keptBytes }.max() ?? 0
        let cells = (scaled + draws).reduce(0) { $0.plusSaturating($1.keptBytes) }
        let passing = draws.map { $0.peakBytes - $0.keptBytes }.sorted(by: >).prefix(self.workers)
            .reduce(0) { $0.plusSaturating($1) }
        let scaling = scaled.map { $0.peakBytes - $0.keptBytes }.max() ?? 0
        let making = decoded.plusSaturating(max(reading, cells.plusSaturating(max(passing, scaling))))
        let files = [request.pictures.image, request.pictures.second].reduce(0) {
            $0.plusSaturating($1?.count ?? 0)
        }
        peakBytes = files.plusSaturating(request.textBytes)
            .plusSaturating(max(making, cells.plusSaturating(drawn.peakBytes)))
        operations = (decoding + scaled + draws + [drawn]).reduce(0) { $0.plusSaturating($1.operations) }
        self.views = views
        self.layout = layout
        size = sheet.size
    }
}

extension PreviewRequest {
    func layout(for size: PixelSize) -> SheetLayout {
        SheetLayout(
            picture: size, width: options.width, columns: options.columns, cells: leading + options.draws)
    }

    func caption(ofDraw draw: Int, _ view: PerturbedPicture.DrawnView, of size: PixelSize) -> Caption {
        Caption(
            number: draw, steps: view.steps, strength: strength(ofDraw: draw),
            size: view.size == size ? nil : view.size)
    }

    /// The approximate bytes of all steps and captions.
    var textBytes: Int {
        drawing.views.reduce(0) { $0.plusSaturating($1.content.stepBytes) }
    }
}
