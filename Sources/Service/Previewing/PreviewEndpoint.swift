import ContactSheet
import HTTP
import HTTPTypes
import Images
import Parallelism
import Perturbation

/// /v1/recipes/{name}/preview: a picture and draws of a recipe side by side.
struct PreviewEndpoint: Sendable {
    let limits: ImageLimits
    let memoryBudget: Int

    static let bodyTypes = ["image/jpeg", "image/png", "multipart/form-data"]
    /// A sheet larger than this is no sheet to look at.
    static let mostSheetPixels = 40_000_000

    /// A request that was read, and whose pictures' headers were.
    struct Work: Sendable {
        fileprivate let request: PreviewRequest
        /// The picture's and the second one's, as stored.
        fileprivate let sizes: [PixelSize]
        /// Decoders and decoded pictures.
        fileprivate let pictureBytes: Int
        let cost: PictureCost
    }

    /// - Parameters:
    ///   - bytes: the body; nil for the built-in picture.
    ///   - name: the recipe's, of the path.
    func work(_ bytes: [UInt8]?, name: String, head: RequestHead) throws(Problem) -> Work {
        let request = try request(bytes, name, head)
        let (sizes, pictureBytes) = try sizes(request)
        let view = sizes[0].pixelCount
        let sheet = layout(request, sizes[0]).largestSheet.pixelCount
        let cost =
            .decoding(pixels: view + sizes[1].pixelCount)
            // Each is perturbed, by two steps most often, and scaled.
            + PictureCost.perturbing(pixels: view, steps: 3) * request.options.draws
            + .encoding(pixels: sheet, as: .png(level: Self.level))
        return Work(request: request, sizes: sizes, pictureBytes: pictureBytes, cost: cost)
    }

    private static let level = 6

    func respond(
        to work: Work, instruments: Instruments, _ scope: RequestScope, _ timer: inout PhaseTimer
    ) throws(Problem) -> Response {
        let request = work.request
        // After everything that the request will need has been found to fit.
        try claim(request, work.sizes, pictureBytes: work.pictureBytes, scope)
        let images = try decoded(request)
        timer.end(.decode)
        let layout = layout(request, images[0].size)
        let cells = try cells(of: request, images, layout, scope)
        let sheet = Sheet(layout, title: request.title, cells: cells)
        timer.end(.compute)
        instruments.count(images: 1, views: request.options.draws)
        let picture = sheet.drawn()
        defer { timer.end(.encode) }
        do throws(ImageError) {
            return Response(
                headers: [
                    .contentType: "image/png", .perceptionSize: "\(picture.width)x\(picture.height)",
                    .perceptionCells: sheet.places,
                ], body: [try picture.encoded(as: .png(level: Self.level))])
        } catch {
            throw Problem(Problem.Kind(error), Problem.Reason(error, field: "sheet"))
        }
    }

    private func request(_ bytes: [UInt8]?, _ name: String, _ head: RequestHead) throws(Problem)
        -> PreviewRequest
    {
        guard head.mediaType == "multipart/form-data", let bytes else {
            return try PreviewRequest(name: name, query: head.query, image: bytes)
        }
        try head.refuseQuery()
        let type = head.headers[.contentType].map(ParameterizedField.init)
        return try PreviewRequest(name: name, multipart: bytes, boundary: type?.parameter("boundary"))
    }

    private func layout(_ request: PreviewRequest, _ size: PixelSize) -> SheetLayout {
        SheetLayout(
            picture: size, width: request.options.width, columns: request.options.columns,
            cells: request.leading + request.options.draws)
    }

    private static func files(_ request: PreviewRequest) -> [(field: String, file: [UInt8]?)] {
        [("image", request.pictures.image), ("second_image", request.pictures.second)]
    }

    private static let builtIn = [BuiltInPicture.exercise, BuiltInPicture.scene]

    /// What the headers of the pictures say.
    private func sizes(_ request: PreviewRequest) throws(Problem) -> (sizes: [PixelSize], bytes: Int) {
        var faults = Faults()
        var sizes: [PixelSize] = []
        var needed = 0
        for ((field, file), standIn) in zip(Self.files(request), Self.builtIn) {
            guard let file else {
                sizes.append(standIn.size)
                continue
            }
            do throws(ImageError) {
                let header = try ImageHeader(probing: file.span, limits: limits)
                sizes.append(header.size)
                needed = needed.addingSaturating(header.decodedBytes).addingSaturating(header.decoderBytes)
            } catch {
                if case .tooManyPixels(_, _, let limit) = error {
                    throw Problem(.imageTooLarge, Problem.Reason(error, field: field), limit: limit)
                }
                faults.add(Problem.Kind(error), Problem.Reason(error, field: field))
            }
        }
        try faults.check()
        return (sizes, needed)
    }

    private func decoded(_ request: PreviewRequest) throws(Problem) -> [PixelImage] {
        var faults = Faults()
        var images: [PixelImage] = []
        for ((field, file), standIn) in zip(Self.files(request), Self.builtIn) {
            do throws(ImageError) {
                let decoding = request.options.reading.decoding
                images.append(
                    try file.map { file throws(ImageError) in
                        try PixelImage(decoding: file.span, options: decoding, limits: limits)
                    } ?? standIn)
            } catch {
                faults.add(Problem.Kind(error), Problem.Reason(error, field: field))
            }
        }
        try faults.check()
        return images
    }

    /// Claims what all of the sheet takes, if it is one to look at.
    private func claim(
        _ request: PreviewRequest, _ sizes: [PixelSize], pictureBytes: Int, _ scope: RequestScope
    ) throws(Problem) {
        // An orientation that is applied may swap the sides.
        let size = sizes[0]
        let turned = PixelSize(width: size.height, height: size.width)
        let shapes = request.options.reading.decoding.orientation == .apply ? [size, turned] : [size]
        let sheet = shapes.map { layout(request, $0).largestSheet.pixelCount }.max() ?? 0
        guard sheet <= Self.mostSheetPixels else {
            throw Problem(
                .conflictingFields,
                Problem.Reason(
                    "the sheet would be too large; ask for fewer draws or narrower cells", field: "width",
                    expected: "a sheet of at most \(Self.mostSheetPixels) pixels",
                    found: "up to \(sheet) pixels"))
        }
        let drawing = request.drawing
        let view =
            shapes.map { shape in
                drawing.views[0].content.largestOutput(for: shape, seconds: [sizes[1]]) { reference in
                    drawing.index(of: reference).map { $0 == 0 ? shape : sizes[1] }
                }.pixelCount
            }.max() ?? 0
        // Of each view in the works its source, its result and what a step holds in between; scaled and on the sheet, all.
        let needed = view.multipliedSaturating(by: 9).addingSaturating(drawing.views[0].content.stepBytes)
            .multipliedSaturating(by: min(WorkerPool.coreCount, request.options.draws))
            .addingSaturating(pictureBytes).addingSaturating(sheet.multipliedSaturating(by: 9))
        guard needed <= memoryBudget else {
            throw Problem(
                .memoryBudgetExceeded,
                Problem.Reason(
                    "this sheet needs too much memory; send a smaller picture", field: "image",
                    expected: "at most \(memoryBudget) bytes", found: "about \(needed) bytes"),
                limit: memoryBudget)
        }
        try scope.take(needed)
    }

    /// The pictures as they are, then every draw, each perturbed, scaled and let go over all cores.
    private func cells(
        of request: PreviewRequest, _ images: [PixelImage], _ layout: SheetLayout, _ scope: RequestScope
    ) throws(Problem) -> [Sheet.Cell] {
        let originals = zip(images, request.originals).map { image, caption in
            Sheet.Cell(picture: image.resized(to: layout.fitted(image.size)), caption: caption(image.size))
        }
        let views = try views(of: request, images.map(\.size))
        let results = mapInParallel(views.count, operations: .max) {
            draw -> Result<Sheet.Cell?, StepError> in
            guard scope.isWanted else { return .success(nil) }
            do throws(StepError) {
                let image = try views[draw].applied(to: images[0]) {
                    request.drawing.index(of: $0).map { images[$0] }
                }
                return .success(
                    Sheet.Cell(
                        picture: image.resized(to: layout.fitted(image.size)),
                        caption: Caption(
                            number: draw, steps: views[draw].steps, strength: request.strength(ofDraw: draw),
                            size: image.size == images[0].size ? nil : image.size)))
            } catch {
                return .failure(error)
            }
        }
        var draws: [Sheet.Cell] = []
        for (draw, result) in results.enumerated() {
            let cell: Sheet.Cell?
            do throws(StepError) {
                cell = try result.get()
            } catch {
                throw Problem(.invalidStep, Problem.Reason(error, field: "recipe", index: [draw]))
            }
            guard let cell else { throw .unheard }
            draws.append(cell)
        }
        return originals + draws
    }

    /// The steps of every draw, known to fit before any is applied.
    private func views(of request: PreviewRequest, _ sizes: [PixelSize]) throws(Problem)
        -> [PerturbedPicture.View]
    {
        var faults = Faults()
        var views: [PerturbedPicture.View] = []
        for (draw, view) in request.drawing.views.enumerated() {
            do throws(PerturbRequest.StepFailure) {
                views.append(try request.drawing.drawn(view, variant: draw, ofPicture: 0, among: sizes))
            } catch {
                faults.add(.invalidStep, Problem.Reason(error.error, field: "recipe", index: [draw]))
            }
        }
        try faults.check()
        return views
    }
}

extension Problem.Reason {
    fileprivate init(_ error: StepError, field: String, index: [Int]) {
        self.init(error, field: field)
        self.index = index
    }
}

extension Sheet {
    /// Where the cells are, as a dictionary of structured fields (RFC 9651).
    fileprivate var places: String {
        "columns=\(layout.columns), width=\(layout.cell.width), height=\(layout.cell.height), "
            + "left=\(left), right=\(right), tops=(\(tops.map { "\($0)" }.joined(separator: " ")))"
    }
}
