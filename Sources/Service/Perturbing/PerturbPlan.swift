import Images
import Perturbation
import Text

/// What a request takes, known from headers, steps and sizes before anything is decoded: the sum of what its pictures, steps
/// and encodings say of themselves.
struct PerturbPlan: Sendable {
    /// The most bytes that are allocated at once beside the body.
    let peakBytes: Int
    /// What all of it costs; see ``WorkDemand/operations``.
    let operations: Int
    /// Views that are made at once.
    let workers: Int
    /// What making each view takes, its picture decoded again; in the order of the request.
    let partBytes: [Int]

    /// - Parameters:
    ///   - claims: of every picture of the request.
    ///   - drawn: the pictures that have views.
    init(
        _ request: PerturbRequest, _ claims: [PictureClaim], _ drawn: [PerturbedPicture],
        _ encoding: ImageEncoding,
        _ terms: PerturbTerms
    ) {
        let views = drawn.flatMap { picture in
            picture.views.map { request.demand(of: $0, for: picture.size, claims, encoding, terms.form) }
        }
        let workers = max(1, min(terms.workers, max(views.count, claims.count)))
        let decoding = Self.decoding(claims.map(\.work), workers)

        // A view that is its picture's own samples keeps these.
        let isLent = zip(drawn.flatMap { picture in picture.views.map { _ in picture.index } }, views)
        let lent = Set(isLent.filter { $0.1.keptBytes == 0 }.map(\.0))
        let lentBytes = lent.reduce(0) { $0.plusSaturating(claims[$1].work.keptBytes) }
        let others = claims.indices.filter { !lent.contains($0) }.map { claims[$0].work }
        let isDecodedAgain =
            claims.reduce(0) { $0.plusSaturating($1.work.keptBytes) } > DecodedPictures.keptBytes
        let held =
            request.usesSecondPictures
            ? others.total(\.keptBytes) : Self.held(others, workers)
        let passing = zip(drawn.flatMap { picture in picture.views.map { _ in picture.index } }, views)
            .map { index, view in
                let decoder = claims[index].work
                return max(
                    view.peakBytes - view.keptBytes,
                    isDecodedAgain ? decoder.peakBytes - decoder.keptBytes - view.keptBytes : 0)
            }
        partBytes = zip(drawn.flatMap { picture in picture.views.map { _ in picture.index } }, views)
            .map { index, view in claims[index].work.peakBytes.plusSaturating(view.peakBytes) }
        let kept = views.map(\.keptBytes).sorted(by: >)
        let results = kept.prefix(terms.viewsAtOnce ?? kept.count).total(\.self)
        let making = lentBytes.plusSaturating(held).plusSaturating(results)
            .plusSaturating(
                passing.sorted(by: >).prefix(min(workers, terms.viewsAtOnce ?? workers)).total(\.self))
        // Many pieces are joined before they are sent.
        let isJoined = terms.viewsAtOnce == nil && 2 * views.count + 1 > Self.mostPieces
        let sending = isJoined ? results.plusSaturating(results) : 0

        peakBytes = request.fileBytes.plusSaturating(request.textBytes).plusSaturating(
            workers * Self.smallObjects
        )
        .plusSaturating(max(decoding, making, sending))
        operations = claims.map(\.work).total(\.operations).timesSaturating(isDecodedAgain ? 2 : 1)
            .plusSaturating(views.total(\.operations))
        self.workers = workers
    }

    /// Of a step that is applied; see ``WorkDemand``.
    private static let smallObjects = 4096

    /// Of a body that is sent as it is.
    private static let mostPieces = 256

    /// While every picture is decoded for the first time: those that are kept, and those in the making.
    private static func decoding(_ pictures: [WorkDemand], _ workers: Int) -> Int {
        let passing = pictures.map { $0.peakBytes - $0.keptBytes }.sorted(by: >).prefix(workers)
        let making = pictures.map(\.peakBytes).sorted(by: >).prefix(workers)
        return min(
            pictures.total(\.keptBytes).plusSaturating(passing.total(\.self)),
            DecodedPictures.keptBytes.plusSaturating(making.total(\.self)))
    }

    /// Pictures that are held while views are made in the order of the request: those kept from the first decoding, and one
    /// for each view in the making.
    private static func held(_ pictures: [WorkDemand], _ workers: Int) -> Int {
        let largest = pictures.map(\.keptBytes).sorted(by: >).prefix(workers)
        return min(
            pictures.total(\.keptBytes), DecodedPictures.keptBytes.plusSaturating(largest.total(\.self)))
    }
}

extension PerturbRequest {
    /// What one view takes beside its picture, from the first step to the bytes that are sent; 0 bytes are kept where these are
    /// the picture's own.
    fileprivate func demand(
        of view: PerturbedPicture.View, for size: PixelSize, _ claims: [PictureClaim],
        _ encoding: ImageEncoding,
        _ form: PerturbTerms.Form
    ) -> WorkDemand {
        let made = view.demand(for: size) { reference in index(of: reference).map { claims[$0].size } }
        let encoded = made.followed(by: encoding.demand(for: view.size))
        guard form == .json else { return encoded }
        let file = encoding == .raw ? view.size.pixelCount.timesSaturating(3) : encoded.keptBytes
        let text = WorkDemand.arrayBytes(Base64.encodedCount(min(file, 1 << 60)))
        return encoded.followed(
            by: WorkDemand(peakBytes: text, keptBytes: text, operations: file.timesSaturating(4)))
    }

    /// About what all steps take, with their text in the reply.
    var textBytes: Int {
        let places = pictures.count { !$0.isSecondOnly }
        return views.reduce(0) { $0.plusSaturating($1.content.stepBytes) }
            .timesSaturating(places).timesSaturating(settings.variants)
    }
}

extension Sequence {
    /// The sum of one of their numbers.
    fileprivate func total(_ number: (Element) -> Int) -> Int {
        reduce(0) { $0.plusSaturating(number($1)) }
    }
}
