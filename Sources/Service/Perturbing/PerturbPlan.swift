import Images
import Perturbation
import Text

/// The memory and work of a request. The plan sums the demands of its pictures, steps and encodings, which are known
/// from headers and sizes before anything is decoded.
struct PerturbPlan: Sendable {
    /// The most bytes that are allocated at once in addition to the body.
    let peakBytes: Int
    /// The cost of the whole request; see ``WorkDemand/operations``.
    let operations: Int
    /// The number of views made at once.
    let workers: Int
    /// The demand of decoding each picture of the request.
    let pictures: [WorkDemand]
    /// The views in the order of the request.
    let views: [PlannedView]

    /// The plan of one view, from its picture to the bytes that are sent.
    struct PlannedView: Sendable {
        /// The picture of the view.
        let picture: Int
        /// This picture and those that its steps read.
        let pictures: Set<Int>
        /// The demand in addition to the pictures. It keeps 0 bytes if the result is the picture's own samples.
        let work: WorkDemand
    }

    /// - Parameters:
    ///   - claims: the claims of all pictures of the request.
    ///   - drawn: the pictures that have views.
    init(
        _ request: PerturbRequest, _ claims: [PictureClaim], _ drawn: [PerturbedPicture],
        _ encoding: ImageEncoding,
        _ terms: PerturbTerms
    ) {
        let views = drawn.flatMap { picture in
            picture.views.map { view in
                PlannedView(
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
        // A reply of many pieces is joined before it is sent.
        let isJoined = terms.viewsClaimedAtFirst == nil && 2 * views.count + 1 > Self.mostPieces
        let sending = isJoined ? results.plusSaturating(results) : 0

        peakBytes = request.fileBytes.plusSaturating(request.textBytes)
            .plusSaturating(workers * Self.smallObjects)
            .plusSaturating(max(Self.decoding(pictures, workers), making, sending))
        operations = pictures.total(\.operations).timesSaturating(isDecodedAgain ? 2 : 1)
            .plusSaturating(views.total(\.work.operations))
    }

    /// Returns the bytes of making one view, including the result, in addition to the samples of its pictures.
    /// - Parameter missing: the pictures that are decoded for it. Its own is decoded first, another one when a step
    ///   reads it.
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

    /// Returns the bytes of the samples of some pictures.
    func keptBytes(of indices: Set<Int>) -> Int { indices.total { pictures[$0].keptBytes } }

    /// The fixed bytes of a step that is applied; see ``WorkDemand``.
    private static let smallObjects = 4096

    /// The largest number of pieces of a body that is sent without being joined.
    private static let mostPieces = 256

    /// Returns the peak while every picture is decoded for the first time: the kept ones, and those being decoded.
    private static func decoding(_ pictures: [WorkDemand], _ workers: Int) -> Int {
        let passing = pictures.map { $0.peakBytes - $0.keptBytes }.sorted(by: >).prefix(workers)
        let making = pictures.map(\.peakBytes).sorted(by: >).prefix(workers)
        return min(
            pictures.total(\.keptBytes).plusSaturating(passing.total(\.self)),
            DecodedPictures.keptBytes.plusSaturating(making.total(\.self)))
    }

    /// Returns the peak of pictures held while views are made in order: those kept from the first decoding, and those
    /// of each view in the making.
    private static func held(_ pictures: [WorkDemand], _ workers: Int) -> Int {
        let largest = pictures.map(\.keptBytes).sorted(by: >).prefix(workers)
        return min(
            pictures.total(\.keptBytes), DecodedPictures.keptBytes.plusSaturating(largest.total(\.self)))
    }
}

extension PerturbRequest {
    /// Returns the demand of one view in addition to its picture, from the first step to the bytes that are sent. It
    /// keeps 0 bytes if these are the picture's own.
    fileprivate func demand(
        of view: PerturbedPicture.DrawnView, from picture: PerturbedPicture, _ claims: [PictureClaim],
        _ encoding: ImageEncoding,
        _ form: PerturbTerms.Form
    ) -> WorkDemand {
        let made = view.demand(for: picture.size) { reference in index(of: reference).map { claims[$0].size }
        }
        var encoded = made.followed(by: encoding.demand(for: view.size))
        // Pixels that are sent unchanged are copied out of the body.
        if encoded.keptBytes == 0, pictures[picture.index].source.isInBody {
            encoded = encoded.followed(by: .picture(picture.size, operations: 4))
        }
        guard form == .json else { return encoded }
        let file = encoding == .raw ? view.size.pixelCount.timesSaturating(3) : encoded.keptBytes
        let text = WorkDemand.arrayBytes(Base64.encodedCount(min(file, 1 << 60)))
        return encoded.followed(
            by: WorkDemand(peakBytes: text, keptBytes: text, operations: file.timesSaturating(4)))
    }

    /// Returns the pictures of one view: its own, and those that its steps read.
    fileprivate func pictures(readBy view: PerturbedPicture.DrawnView, of index: Int) -> Set<Int> {
        let others = view.steps.compactMap { ($0 as? any PairStep).flatMap { self.index(of: $0.image) } }
        return Set([index] + others)
    }

    /// The approximate bytes of all steps, with their text in the reply.
    var textBytes: Int {
        let places = pictures.count { !$0.isSecondOnly }
        return views.reduce(0) { $0.plusSaturating($1.content.stepBytes) }
            .timesSaturating(places).timesSaturating(settings.variants)
    }
}

extension Sequence {
    /// Returns the saturated sum of one property of the elements.
    fileprivate func total(_ number: (Element) -> Int) -> Int {
        reduce(0) { $0.plusSaturating(number($1)) }
    }
}
