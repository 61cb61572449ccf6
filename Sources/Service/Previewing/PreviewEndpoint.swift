import ContactSheet
import HTTP
import HTTPTypes
import Images
import Perturbation

/// /v1/recipes/{name}/preview: a picture beside draws of a recipe.
struct PreviewEndpoint: Sendable {
    let limits: ImageLimits
    let memoryBudget: Int
    /// The largest number of draws made at once.
    var workers = WorkerPool.coreCount

    static let bodyTypes: [MediaType] = [.jpeg, .png, .form]
    /// The largest number of pixels of a sheet that people can view.
    static let mostSheetPixels = 40_000_000

    /// A request, read together with the headers of its pictures.
    struct Work: Sendable {
        let request: PreviewRequest
        let plan: PreviewPlan
        /// Every draw, or the error of a step that does not fit the picture.
        let drawn: Result<[PerturbedPicture.DrawnView], Problem>

        var cost: WorkCost { WorkCost(operations: plan.operations) }
    }

    /// - Parameters:
    ///   - bytes: the body; nil for the built-in picture.
    ///   - name: the name of the recipe in the path.
    func work(
        _ bytes: [UInt8]?, name: String, head: RequestHead, _ scope: RequestScope
    ) throws(Problem) -> Work {
        // The parts of a form are copied out of it.
        try scope.claimMemory(bytes?.count ?? 0)
        let request = try request(bytes, name, head)
        return try work(on: request, scope)
    }

    /// Claims the memory of planning.
    func work(on request: PreviewRequest, _ scope: RequestScope) throws(Problem) -> Work {
        try scope.claimMemory(request.planningBytes)
        var drawn: Result<[PerturbedPicture.DrawnView], Problem> = .success([])
        let plan = try plan(request) { sizes in
            drawn = Result { () throws(Problem) in
                try views(of: request, sizes, WorkWatch { scope.isWanted })
            }
            return (try? drawn.get()) ?? []
        }
        return Work(request: request, plan: plan, drawn: drawn)
    }

    func respond(
        to work: Work, instruments: Instruments, _ scope: RequestScope, _ timer: inout PhaseTimer
    ) throws(Problem) -> Response {
        let request = work.request
        let sheet = try sheet(of: work, scope, &timer)
        timer.end(.compute)
        instruments.count(images: 1, views: request.options.draws)
        defer { timer.end(.encode) }
        let watch = WorkWatch { scope.isWanted }
        guard let picture = sheet.drawn(watch) else { throw .unheard }
        do throws(ImageError) {
            return Response(
                headers: [
                    .contentType: MediaType.png.rawValue,
                    .perceptionSize: "\(picture.width)x\(picture.height)",
                    .perceptionCells: sheet.places,
                ], body: [try picture.encoded(as: PreviewPlan.encoding, watch)])
        } catch {
            guard error != .unwanted else { throw .unheard }
            throw Problem(Problem.Kind(error), Problem.Reason(error, field: "sheet"))
        }
    }

    private func request(_ bytes: [UInt8]?, _ name: String, _ head: RequestHead) throws(Problem)
        -> PreviewRequest
    {
        guard head.mediaType == .form, let bytes else {
            return try PreviewRequest(name: name, query: head.query, image: bytes)
        }
        try head.refuseQuery()
        let type = head.headers[.contentType].map(ParameterizedField.init)
        return try PreviewRequest(name: name, multipart: bytes, boundary: type?.parameter("boundary"))
    }

    /// Returns the sheet with its cells. The source pictures have been freed by then.
    func sheet(
        of work: Work, _ scope: RequestScope, _ timer: inout PhaseTimer
    ) throws(Problem) -> Sheet {
        let images = try decoded(work, scope)
        timer.end(.decode)
        return Sheet(
            work.plan.layout, title: work.request.title,
            cells: try cells(of: work.request, images, work.plan, scope))
    }

    /// Plans the request without doing any of it.
    /// - Throws: faults of the pictures' headers.
    func plan(
        _ request: PreviewRequest, _ views: ([PixelSize]) -> [PerturbedPicture.DrawnView]
    ) throws(Problem) -> PreviewPlan {
        var faults = Faults()
        var sizes: [PixelSize] = []
        var decoding: [WorkDemand] = []
        for (field, file, standIn) in request.sources {
            guard let file else {
                sizes.append(standIn.size)
                continue
            }
            do throws(ImageError) {
                let header = try ImageHeader(probing: file.span, limits: limits)
                let (work, size) = header.demand(of: file.span, request.options.reading.decoding)
                sizes.append(size)
                decoding.append(work)
            } catch {
                if case .tooManyPixels(_, _, let limit) = error {
                    throw Problem(.imageTooLarge, Problem.Reason(error, field: field), limit: limit)
                }
                faults.add(Problem.Kind(error), Problem.Reason(error, field: field))
            }
        }
        try faults.check()
        return PreviewPlan(request, views(sizes), sizes, decoding, workers: workers)
    }

    /// Returns the picture and the second one, after checking that the whole request fits.
    private func decoded(_ work: Work, _ scope: RequestScope) throws(Problem) -> [PixelImage] {
        let request = work.request
        try claim(work.plan, request, scope)

        var faults = Faults()
        var images: [PixelImage] = []
        let watch = WorkWatch { scope.isWanted }
        for (field, file, standIn) in request.sources {
            do throws(ImageError) {
                let decoding = request.options.reading.decoding
                images.append(
                    try file.map { file throws(ImageError) in
                        try PixelImage(decoding: file.span, options: decoding, limits: limits, watch)
                    } ?? standIn)
            } catch {
                guard error != .unwanted else { throw .unheard }
                faults.add(Problem.Kind(error), Problem.Reason(error, field: field))
            }
        }
        try faults.check()
        // A damaged picture is reported before steps that do not fit it.
        _ = try work.drawn.get()
        return images
    }

    /// Claims the memory of the whole sheet. Refuses sheets that are too large to view.
    private func claim(
        _ plan: PreviewPlan, _ request: PreviewRequest, _ scope: RequestScope
    ) throws(Problem) {
        let largest = plan.layout.largestSheet.pixelCount
        guard largest <= Self.mostSheetPixels else {
            throw Problem(
                .conflictingFields,
                Problem.Reason(
                    "the sheet would be too large; request fewer draws or narrower cells", field: "width",
                    expected: "a sheet of at most \(Self.mostSheetPixels) pixels",
                    found: "up to \(largest) pixels"))
        }
        guard plan.peakBytes <= memoryBudget else {
            throw Problem(
                .memoryBudgetExceeded,
                Problem.Reason(
                    "this sheet needs too much memory; send a smaller picture", field: "image",
                    expected: "at most \(memoryBudget) bytes", found: "about \(plan.peakBytes) bytes"),
                limit: memoryBudget)
        }
        try scope.claimMemory(plan.peakBytes)
    }

    /// Returns the unchanged pictures and every draw. Each draw is perturbed, scaled and freed, over all cores.
    private func cells(
        of request: PreviewRequest, _ images: [PixelImage], _ plan: PreviewPlan, _ scope: RequestScope
    ) throws(Problem) -> [Sheet.Cell] {
        let layout = plan.layout
        @Sendable func scaled(_ image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
            try image.resized(to: layout.fitted(image.size), watch)
        }
        var cells: [Sheet.Cell] = []
        for (image, caption) in zip(images, request.originals) {
            do throws(StepError) {
                let picture = try scaled(image, WorkWatch { scope.isWanted })
                cells.append(Sheet.Cell(picture: picture, caption: caption(image.size)))
            } catch {
                throw .unheard
            }
        }
        let results = mapInOrder(plan.views.count, workers: plan.workers) {
            draw -> Result<Sheet.Cell, StepError> in
            let watch = WorkWatch { scope.isWanted }
            do throws(StepError) {
                let image = try plan.views[draw].applied(to: images[0], watch) {
                    request.drawing.index(of: $0).map { images[$0] }
                }
                return .success(
                    Sheet.Cell(
                        picture: try scaled(image, watch),
                        caption: request.caption(ofDraw: draw, plan.views[draw], of: images[0].size)))
            } catch {
                return .failure(error)
            }
        }
        for (draw, result) in results.enumerated() {
            do throws(StepError) {
                cells.append(try result.get())
            } catch {
                guard error != .unwanted else { throw .unheard }
                throw Problem(.invalidStep, Problem.Reason(error, field: "recipe", index: [draw]))
            }
        }
        return cells
    }

    /// Returns the steps of every draw. They are checked before any is applied.
    private func views(
        of request: PreviewRequest, _ sizes: [PixelSize], _ watch: WorkWatch
    ) throws(Problem) -> [PerturbedPicture.DrawnView] {
        var faults = Faults()
        var views: [PerturbedPicture.DrawnView] = []
        for (draw, view) in request.drawing.views.enumerated() {
            do throws(PerturbRequest.StepFailure) {
                views.append(
                    try request.drawing.drawn(view, variant: draw, ofPicture: 0, among: sizes, watch))
            } catch {
                if error.error == .unwanted { throw .unheard }
                faults.add(.invalidStep, Problem.Reason(error.error, field: "recipe", index: [draw]))
            }
        }
        try faults.check()
        return views
    }
}

extension PreviewRequest {
    /// The picture and the second one, with the built-in pictures as defaults.
    fileprivate var sources: [(field: String, file: [UInt8]?, standIn: PixelImage)] {
        [
            ("image", pictures.image, BuiltInPicture.exercise),
            ("second_image", pictures.second, BuiltInPicture.scene),
        ]
    }

    /// The bytes that planning needs: drawn steps, and metadata.
    fileprivate var planningBytes: Int {
        let files = [pictures.image?.count ?? 0, pictures.second?.count ?? 0]
        return files[0].plusSaturating(files[1]).plusSaturating(textBytes)
            .plusSaturating(
                options.reading.decoding.orientation == .apply
                    ? ImageHeader.metadataBytes(of: max(files[0], files[1])) : 0)
    }
}

extension Problem.Reason {
    fileprivate init(_ error: StepError, field: String, index: [Int]) {
        self.init(error, field: field)
        self.index = index
    }
}

extension Sheet {
    /// Returns the positions of the cells, as a dictionary of structured fields (RFC 9651).
    fileprivate var places: String {
        "columns=\(layout.columns), width=\(layout.cell.width), height=\(layout.cell.height), "
            + "left=\(left), right=\(right), tops=(\(tops.map { "\($0)" }.joined(separator: " ")))"
    }
}
