import Images
import Locking

/// The pictures of one request. Each is decoded when it is first needed and freed with its last view.
///
/// All are decoded once before any view is made, so that a damaged one is found in time. In a large batch only the
/// first are kept, and the others are decoded again when they are needed. Decoding costs a tenth of making and encoding
/// a view, but a thousand decoded pictures would occupy gigabytes. Pixels that arrived in the body stay there and cost
/// nothing.
final class DecodedPictures: Sendable {
    /// The bytes of samples that may be kept from the first decoding.
    static let keptBytes = 64 << 20

    private struct Slot {
        var image: PixelImage?
        var viewsLeft: Int
    }

    private let pictures: [PerturbRequest.Picture]
    private let options: DecodingOptions
    private let limits: ImageLimits
    /// Each slot has its own lock. A thread that needs a picture waits if another thread is decoding it.
    private let slots: [Monitor<Slot>]
    private let kept = Monitor(0)
    /// The cost of each picture.
    private let works: [WorkDemand]
    /// Kept apart from the slots, because their locks are held while a picture is decoded.
    private let counted: Monitor<Counted>

    private struct Counted {
        /// Pictures that are decoded, or will be for a view that is about to be made.
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

    /// Decodes a picture for the first time. Returns its size after orientation.
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

    /// Returns the picture for one of its views.
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

    /// Notes that one view is finished.
    func viewIsMade(of index: Int) {
        slots[index].withLock { slot in
            slot.viewsLeft -= 1
            if slot.viewsLeft == 0 { hold(nil, of: index, in: &slot) }
        }
    }

    /// The bytes of all pictures that are decoded or promised.
    var heldBytes: Int { counted.withLock { $0.bytes } }

    /// Returns the pictures that would have to be decoded.
    func missing(of indices: Set<Int>) -> Set<Int> {
        counted.withLock { counted in indices.filter { !counted.isThere[$0] } }
    }

    /// Counts these pictures as decoded, because they are about to be.
    func promise(_ indices: Set<Int>) {
        counted.withLock { counted in
            for index in indices { counted.set(index, true, works) }
        }
    }

    /// Frees all decoded pictures. Those that are needed later are decoded again.
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
