import Images
import Locking

/// The pictures of one request, each decoded when it is first needed and let go with its last view.
///
/// All are decoded once before any view is made, so that a damaged one is known in time. Of a large batch only the first
/// are kept from that; the others are decoded again when their turn comes. Decoding costs a tenth of what making and
/// encoding a view does, a thousand decoded pictures cost gigabytes. Pixels that came in the body stay in it and cost nothing.
final class DecodedPictures: Sendable {
    /// What may be kept from the first decoding, in bytes of samples.
    static let keptBytes = 64 << 20

    private struct Slot {
        var image: PixelImage?
        var viewsLeft: Int
    }

    private let pictures: [PerturbRequest.Picture]
    private let options: DecodingOptions
    private let limits: ImageLimits
    /// One lock each: whoever needs a picture that another is decoding waits for it.
    private let slots: [Monitor<Slot>]
    private let kept = Monitor(0)
    /// What each of them takes.
    private let works: [WorkDemand]
    /// Apart from the slots, whose locks are held while a picture is decoded.
    private let counted: Monitor<Counted>

    private struct Counted {
        /// Pictures that are there, or will be because of a view that is about to be made.
        var isThere: [Bool]
        var bytes = 0

        mutating func set(_ index: Int, _ isThere: Bool, _ works: [WorkDemand]) {
            guard self.isThere[index] != isThere else { return }
            self.isThere[index] = isThere
            bytes += isThere ? works[index].keptBytes : -works[index].keptBytes
        }
    }

    init(
        _ pictures: [PerturbRequest.Picture], _ works: [WorkDemand], viewsOfEach: Int,
        options: DecodingOptions, limits: ImageLimits
    ) {
        self.pictures = pictures
        self.works = works
        counted = Monitor(Counted(isThere: pictures.map { _ in false }))
        self.options = options
        self.limits = limits
        slots = pictures.map { _ in Monitor(Slot(viewsLeft: viewsOfEach)) }
    }

    /// Decodes a picture for the first time; its size with its orientation.
    func check(_ index: Int, _ watch: WorkWatch) throws(ImageError) -> PixelSize {
        let image = try decode(index, watch)
        let bytes = works[index].keptBytes == 0 ? 0 : image.pixels.count
        let isKept = kept.withLock { kept in
            guard kept + bytes <= Self.keptBytes else { return false }
            kept += bytes
            return true
        }
        if isKept { slots[index].withLock { hold(image, of: index, in: &$0) } }
        return image.size
    }

    /// The picture, for one of its views.
    func image(_ index: Int, _ watch: WorkWatch) throws(ImageError) -> PixelImage {
        let result = slots[index].withLock { slot -> Result<PixelImage, ImageError> in
            if let image = slot.image { return .success(image) }
            do throws(ImageError) {
                let image = try decode(index, watch)
                hold(image, of: index, in: &slot)
                return .success(image)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// One view is made.
    func viewIsMade(of index: Int) {
        slots[index].withLock { slot in
            slot.viewsLeft -= 1
            if slot.viewsLeft == 0 { hold(nil, of: index, in: &slot) }
        }
    }

    /// Of all pictures that are there or promised.
    var heldBytes: Int { counted.withLock { $0.bytes } }

    /// Those that would have to be decoded.
    func missing(of indices: Set<Int>) -> Set<Int> {
        counted.withLock { counted in indices.filter { !counted.isThere[$0] } }
    }

    /// They will be there, and count as if they were.
    func promise(_ indices: Set<Int>) {
        counted.withLock { counted in
            for index in indices { counted.set(index, true, works) }
        }
    }

    /// Lets go of all that are held; those that are needed again are decoded again.
    func letGo() {
        for (index, slot) in slots.enumerated() { slot.withLock { hold(nil, of: index, in: &$0) } }
    }

    private func hold(_ image: PixelImage?, of index: Int, in slot: inout Slot) {
        counted.withLock { $0.set(index, image != nil, works) }
        slot.image = image
    }

    private func decode(_ index: Int, _ watch: WorkWatch) throws(ImageError) -> PixelImage {
        try pictures[index].source.image(options, limits, watch)
    }
}
