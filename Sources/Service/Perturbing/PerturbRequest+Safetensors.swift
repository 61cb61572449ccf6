import HTTP
import Images
import JSON
import Tensor

extension PerturbRequest {
    /// Reads pictures as tensors U8 [H,W,3], named by their ids, and the request in `__metadata__["request"]`.
    ///
    /// - Parameters:
    ///   - layout: the layout of the body, as read by `layout(of:_:)`.
    ///   - mostPixels: the largest number of pixels of one picture.
    /// - Throws: all faults of the request and of the tensors that it uses.
    init(safetensors body: [UInt8], _ layout: SafetensorsLayout, mostPixels: Int) throws(Problem) {
        let field = "__metadata__.request"
        guard let text = layout.metadata["request"] else {
            throw Problem(
                .missingField,
                Problem.Reason("missing", field: field, expected: "the JSON request, without data"))
        }
        try self.init(json: Array(text.utf8), field: field, pictures: .tensors) { listed, faults in
            PerturbRequest.pictures(body, layout, listed: listed, mostPixels: mostPixels, &faults)
        }
    }

    /// Reads the layout of the tensors from the header of the body.
    static func layout(of body: [UInt8], _ scope: RequestScope) throws(Problem) -> SafetensorsLayout {
        var prefix = SafetensorsPrefix(fileLength: body.count, limit: TensorIntake.maximumHeaderBytes)
        // The header exists as text, as JSON and as a layout, which is six times its size. It ends before the body
        // does.
        let declared = body.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
        try scope.claimMemory(
            min(Int(clamping: declared), body.count, TensorIntake.maximumHeaderBytes)
                .timesSaturating(6))
        do throws(SafetensorsError) {
            guard let layout = try prefix.consume(unsafe body.span.bytes).layout else {
                throw prefix.truncation
            }
            return layout
        } catch {
            throw Problem(error)
        }
    }

    /// Returns every tensor in the order of its data, or those that the request lists, in its order.
    private static func pictures(
        _ body: [UInt8], _ layout: SafetensorsLayout, listed: [ListedPicture]?, mostPixels: Int,
        _ faults: inout Faults
    ) -> [Picture] {
        let all = layout.entries.map { ListedPicture(id: $0.name) }
        let entries = Dictionary(layout.entries.map { ($0.name, $0) }) { first, _ in first }
        return (listed ?? all).compactMap { wanted in
            guard let id = wanted.id else { return nil }
            guard let entry = entries[id] else {
                faults.add(
                    .missingField,
                    Problem.Reason("no tensor has this image's id", field: "images", found: id))
                return nil
            }
            guard let pixels = pixels(entry, of: body, layout.dataStart, mostPixels: mostPixels, &faults)
            else {
                return nil
            }
            return Picture(id: id, source: .pixels(pixels), isSecondOnly: wanted.isSecondOnly)
        }
    }

    private static func pixels(
        _ entry: SafetensorsLayout.Entry, of body: [UInt8], _ dataStart: Int, mostPixels: Int,
        _ faults: inout Faults
    ) -> ReceivedPixels? {
        let name = entry.name
        guard isImageID(name) else {
            faults.add(
                .invalidValue,
                Problem.Reason(
                    "a tensor's name is its image's id", field: name.clipped(to: 140), expected: imageIDWords)
            )
            return nil
        }
        guard entry.elementType == .uint8 else {
            faults.add(
                .invalidElementType,
                Problem.Reason(
                    "wrong element type", field: name, expected: "U8, levels from 0 to 255",
                    found: entry.elementType.rawValue))
            return nil
        }
        let shape = entry.shape
        guard shape.count == 3, shape[2] == 3, shape[0] > 0, shape[1] > 0 else {
            let isPlanar = shape.count == 3 && shape[0] == 3
            faults.add(
                .invalidShape,
                Problem.Reason(
                    isPlanar
                        ? "channels come last: permute(1, 2, 0), then contiguous()"
                        : shape.count == 4 ? "one tensor for each image" : "wrong shape",
                    field: name, expected: "[H,W,3] of at least one pixel", found: "\(shape)"))
            return nil
        }
        let size = PixelSize(width: shape[1], height: shape[0])
        guard size.pixelCount <= mostPixels else {
            faults.add(
                .imageTooLarge,
                Problem.Reason(
                    "too many pixels", field: name, expected: "at most \(mostPixels) pixels",
                    found: "\(size) pixels"))
            return nil
        }
        let range = (dataStart + entry.data.lowerBound)..<(dataStart + entry.data.upperBound)
        return ReceivedPixels(size: size, in: body, at: range)
    }
}
