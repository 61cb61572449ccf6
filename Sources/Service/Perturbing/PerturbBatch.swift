import HTTP
import Images
import Parallelism
import Perturbation

/// A checked request on its way to pixels: its views are drawn, its pictures known to decode, nothing is perturbed yet.
struct PerturbBatch: Sendable {
    let pictures: [PerturbedPicture]
    let format: PerturbSettings.Format
    let encoding: ImageEncoding
    /// Whether names need the variant's number.
    let hasVariants: Bool
    private let request: PerturbRequest
    private let decoded: DecodedPictures
    /// Picture and view of every result, in the order of the request.
    let places: [(picture: Int, view: Int)]

    /// Whose memory is claimed as long as there is this batch.
    private let scope: RequestScope
    /// What making one view takes at most, its picture decoded again.
    let partBytes: Int

    /// - Throws: everything that can be wrong with the request.
    init(
        _ request: PerturbRequest, format: PerturbSettings.Format, _ plan: PerturbPlan,
        _ scope: RequestScope
    ) throws(Problem) {
        self.request = request
        self.format = format
        encoding = request.settings.encoding(format)
        hasVariants = request.settings.variants > 1
        self.scope = scope
        let sizes: [PixelSize]
        (decoded, sizes) = try request.decoded(plan, scope)
        partBytes = plan.viewsAtOnce == nil ? 0 : request.partBytes(try request.claims(plan.limits), plan)
        let pictures = try request.drawn(for: sizes, encoding)
        self.pictures = pictures
        places = pictures.indices.flatMap { picture in pictures[picture].views.indices.map { (picture, $0) } }
    }

    /// Perturbs and encodes one view. Only want of memory can fail here: the rest was checked.
    ///
    /// - Throws: when nobody waits for it any more, too: decoding, every step and encoding of fifty megapixels each take a
    ///   large part of a second.
    func bytes(_ place: Int) throws(Problem) -> [UInt8] {
        let (picture, view) = places[place]
        let index = pictures[picture].index
        let field = request.field(ofPicture: index)
        defer { decoded.viewIsMade(of: index) }
        var image: PixelImage
        do throws(ImageError) {
            image = try decoded.image(index)
        } catch {
            throw Problem(Problem.Kind(error), Problem.Reason(error, field: field))
        }
        for step in pictures[picture].views[view].steps {
            try scope.goOn()
            do throws(StepError) {
                image = try step.apply(to: image) { reference in
                    request.index(of: reference).flatMap { try? decoded.image($0) }
                }
            } catch {
                throw Problem(.invalidStep, Problem.Reason(error, field: field))
            }
        }
        try scope.goOn()
        do throws(ImageError) {
            return try image.encoded(as: encoding)
        } catch {
            throw Problem(Problem.Kind(error), Problem.Reason(error, field: field))
        }
    }

    /// Beside the body, between two views: files that came in a text, and decoded pictures.
    var keptBytes: Int { request.fileBytes.addingSaturating(decoded.heldBytes) }

    /// Lets go of decoded pictures, which can be decoded again.
    func letGo() {
        // Second pictures are decoded wherever they are needed: without those that are kept, in every view.
        if !request.usesSecondPictures { decoded.letGo() }
    }

    /// All views, over all cores.
    func allBytes() throws(Problem) -> [[UInt8]] {
        let results = mapInParallel(places.count, operations: .max) { place -> Result<[UInt8], Problem> in
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
