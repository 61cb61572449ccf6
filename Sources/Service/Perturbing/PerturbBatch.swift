import HTTP
import Images
import Perturbation
import Text

/// A checked request. Its views are drawn and all its pictures can be decoded, but nothing is perturbed yet.
struct PerturbBatch: Sendable {
    let pictures: [PerturbedPicture]
    let format: PerturbSettings.Format
    let encoding: ImageEncoding
    /// Whether names include the number of the variant.
    let hasVariants: Bool
    /// The plan of the whole request.
    let plan: PerturbPlan
    private let form: PerturbTerms.Form
    private let request: PerturbRequest
    private let decoded: DecodedPictures
    /// The picture and view of every result, in the order of the request.
    let places: [(picture: Int, view: Int)]

    /// The scope that holds the claimed memory as long as this batch exists.
    private let scope: RequestScope

    /// Claims the memory of the plan, and decodes every picture once.
    /// - Throws: every remaining fault of the request.
    init(_ planned: PlannedRequest, _ scope: RequestScope) throws(Problem) {
        request = planned.request
        format = planned.format
        encoding = planned.encoding
        hasVariants = planned.request.settings.variants > 1
        form = planned.terms.form
        plan = planned.plan
        self.scope = scope
        try planned.request.claimMemory(plan.peakBytes, of: planned.terms.memoryBudget, scope)
        // A damaged picture is reported before steps that do not fit it.
        decoded = try planned.request.decoded(planned.terms.limits, plan, scope)
        let pictures = try planned.drawn.get()
        self.pictures = pictures
        places = pictures.indices.flatMap { picture in pictures[picture].views.indices.map { (picture, $0) } }
    }

    /// Perturbs and encodes one view. This can fail only if memory runs out, because the rest was checked.
    ///
    /// - Returns: the bytes to send: a file or bare samples, either possibly as a base64 string.
    /// - Throws: also if the result is no longer wanted.
    func bytes(_ place: Int) throws(Problem) -> [UInt8] {
        let (picture, view) = places[place]
        let index = pictures[picture].index
        let watch = WorkWatch { [scope] in scope.isWanted }
        defer { decoded.viewIsMade(of: index) }
        let bytes = try encoded(try image(pictures[picture].views[view], of: index, watch), of: index, watch)
        guard form == .json else { return bytes }
        let text = Base64.encode(bytes, quoted: true) { watch.goesOn(WorkWatch.band) }
        guard let text else { throw .unheard }
        return text
    }

    private func image(
        _ view: PerturbedPicture.DrawnView, of index: Int, _ watch: WorkWatch
    ) throws(Problem) -> PixelImage {
        let field = request.field(ofPicture: index)
        let original: PixelImage
        do throws(ImageError) {
            original = try decoded.image(index, watch)
        } catch {
            throw Problem(error, field: field)
        }
        do throws(StepError) {
            return try view.applied(to: original, watch) { reference in
                request.index(of: reference).flatMap { try? decoded.image($0, watch) }
            }
        } catch {
            guard error != .unwanted, scope.isWanted else { throw .unheard }
            throw Problem(.invalidStep, Problem.Reason(error, field: field))
        }
    }

    private func encoded(
        _ image: consuming PixelImage, of index: Int, _ watch: WorkWatch
    ) throws(Problem) -> [UInt8] {
        do throws(ImageError) {
            return try image.encoded(as: encoding, watch)
        } catch {
            throw Problem(error, field: request.field(ofPicture: index))
        }
    }

    /// The bytes held between two views in addition to the body: files that arrived as text, and decoded pictures.
    var keptBytes: Int { request.fileBytes.plusSaturating(decoded.heldBytes) }

    /// Returns the bytes that making a view needs now, including its pictures that are not decoded.
    func missingBytes(for place: Int) -> Int {
        let view = plan.views[place]
        let missing = decoded.missing(of: view.pictures)
        return plan.making(view, decoding: missing).plusSaturating(plan.keptBytes(of: missing))
    }

    /// Notes that a view is about to be made, so that its pictures count as decoded.
    /// - Returns: the bytes that making it needs in addition.
    func begin(_ place: Int) -> Int {
        let view = plan.views[place]
        let missing = decoded.missing(of: view.pictures)
        decoded.promise(missing)
        return plan.making(view, decoding: missing)
    }

    /// Frees decoded pictures, which can be decoded again.
    func letGo() {
        // Without kept pictures, second pictures would be decoded again in every view that needs them.
        if !request.usesSecondPictures { decoded.letGo() }
    }

    /// Makes all views, over all cores.
    func allBytes() throws(Problem) -> [[UInt8]] {
        let results = mapInOrder(places.count, workers: plan.workers) { place -> Result<[UInt8], Problem> in
            guard scope.isWanted else { return .failure(.unheard) }
            do throws(Problem) {
                return .success(try bytes(place))
            } catch {
                return .failure(error)
            }
        }
        var all: [[UInt8]] = []
        for result in results {
            all.append(try result.get())
        }
        return all
    }

    func name(_ place: Int) -> String {
        let picture = pictures[places[place].picture]
        let view = picture.views[places[place].view]
        return "\(picture.id).\(view.name)" + (hasVariants ? ".\(view.variant)" : "")
    }
}

extension Problem {
    /// - Parameter field: the path of the picture.
    fileprivate init(_ error: ImageError, field: String) {
        self =
            error == .unwanted
            ? .unheard : Problem(Problem.Kind(error), Problem.Reason(error, field: field))
    }
}
