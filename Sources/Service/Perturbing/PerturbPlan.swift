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
    /// What decoding each picture of the request takes.
    let pictures: [WorkDemand]
    /// In the order of the request.
    let views: [PlannedView]

    /// One view on its way from its picture to what is sent of it.
    struct PlannedView: Sendable {
        /// The picture it is made of.
        let picture: Int
        /// That, and those that its steps read beside it.
        let pictures: Set<Int>
        /// What it takes beside them; 0 bytes are kept where it is its picture's own samples.
        let work: WorkDemand
    }

    /// - Parameters:
    ///   - claims: of every picture of the request.
    ///   - drawn: the pictures that have views.
    init(
        _ request: PerturbRequest, _ claims: [PictureClaim], _ drawn: [PerturbedPicture],
        _ encoding: ImageEncoding,
        _ terms: PerturbTerms
    ) {
        let views = drawn.flatMap { picture in
            picture.views.map { view in
                View(
                    picture: picture.index, pictures: request.pictures(readBy: view, of: picture.index),
                    work: request.demand(of: view, from: picture, claims, encoding, terms.form))
            }
        }
        let pictures = claims.map(\.work)
        (self.views, self.pictures) = (views, pictures)
        workers = max(1, min(terms.workers, max(views.count, claims.count)))

        let lent = Set(views.filter { $0.work.keptBytes == 0 }.map(\.picture))
        let others = pictures.indices.filter { !lent.contains($0) }.map { pictures[$0] }
        let isDecodedAgain = pictures.total(\.keptBytes) > DecodedPictures.keptBytes
        let held = request.usesSecondPictures ? others.total(\.keptBytes) : Self.held(others, workers)
        let passing = views.map { view in
            Self.making(view, decoding: isDecodedAgain ? view.pictures : [], pictures) - view.work.keptBytes
        }
        let kept = views.map(\.work.keptBytes).sorted(by: >)
        let results = kept.prefix(terms.viewsClaimedAtFirst ?? kept.count).total(\.self)
        let making = lent.total { pictures[$0].keptBytes }.plusSaturating(held).plusSaturating(results)
            .plusSaturating(
                passing.sorted(by: >).prefix(min(workers, terms.viewsClaimedAtFirst ?? workers)).total(\.self)
            )
        // Many pieces are joined before they are sent.
        let isJoined = terms.viewsClaimedAtFirst == nil && 2 * views.count + 1 > Self.mostPieces
        let sending = isJoined ? results.plusSaturating(results) : 0

        peakBytes = request.fileBytes.plusSaturating(request.textBytes)
            .plusSaturating(workers * Self.smallObjects)
            .plusSaturating(max(Self.decoding(pictures, workers), making, sending))
        operations = pictures.total(\.operations).timesSaturating(isDecodedAgain ? 2 : 1)
            .plusSaturating(views.total(\.work.operations))
    }

    /// What making one view takes, with it, beside its pictures' samples.
    /// - Parameter missing: those of its pictures that are decoded for it. Its own comes first; another one when a step reads it.
    func making(_ view: PlannedView, decoding missing: Set<Int>) -> Int {
        Self.making(view, decoding: missing, pictures)
    }

    private static func making(_ view: PlannedView, decoding missing: Set<Int>, _ pictures: [WorkDemand])
        -> Int
    {
        func passing(_ index: Int) -> Int { pictures[index].peakBytes - pictures[index].keptBytes }
        let own = missing.contains(view.picture) ? passing(view.picture) : 0
        let others = missing.filter { $0 != view.picture }.map(passing).max() ?? 0
        return max(own, view.work.peakBytes.plusSaturating(others))
    }

    /// The samples of some pictures.
    func keptBytes(of indices: Set<Int>) -> Int { indices.total { pictures[$0].keptBytes } }

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
        of view: PerturbedPicture.DrawnView, from picture: PerturbedPicture, _ claims: [PictureClaim],
        _ encoding: ImageEncoding,
        _ form: PerturbTerms.Form
    ) -> WorkDemand {
        let made = view.demand(for: picture.size) { reference in index(of: reference).map { claims[$0].size }
        }
        var encoded = made.followed(by: encoding.demand(for: view.size))
        // Pixels of the body that are sent as they came are copied out of it.
        if encoded.keptBytes == 0, pictures[picture.index].source.isInBody {
            encoded = encoded.followed(by: .picture(picture.size, operations: 4))
        }
        guard form == .json else { return encoded }
        let file = encoding == .raw ? view.size.pixelCount.timesSaturating(3) : encoded.keptBytes
        let text = WorkDemand.arrayBytes(Base64.encodedCount(min(file, 1 << 60)))
        return encoded.followed(
            by: WorkDemand(peakBytes: text, keptBytes: text, operations: file.timesSaturating(4)))
    }

    /// The pictures that one view is made of: its own, and those that its steps read.
    fileprivate func pictures(readBy view: PerturbedPicture.DrawnView, of index: Int) -> Set<Int> {
        let others = view.steps.compactMap { ($0 as? any PairStep).flatMap { self.index(of: $0.image) } }
        return Set([index] + others)
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
