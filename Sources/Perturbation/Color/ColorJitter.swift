package import Images
package import JSON

/// Brightness, contrast, saturation and hue, as torchvision's `ColorJitter` on a PIL image. The first three are Pillow's
/// `ImageEnhance`: every sample is blended between a degenerate picture d and itself,
///
///     out = d + factor · (v − d)     in Float32, truncated, clipped to 0 … 255 when the factor is outside 0 … 1
///
/// where d is 0 (brightness), the rounded mean of the luma picture (contrast), or the pixel's luma (saturation), and
/// luma = (19595 R + 38470 G + 7471 B + 32768) >> 16. A factor of exactly 1 copies. Hue is torchvision's `adjust_hue`
/// through Pillow's 8-bit HSV. This round trip changes samples even for a hue of 0; without the parameter it is
/// omitted.
///
/// Equal to Pillow and torchvision in every sample, in every order.
package struct ColorJitter: PerturbationStep, Equatable {
    package enum Adjustment: String, Sendable, CaseIterable {
        case brightness, contrast, saturation, hue
    }

    package static let name = "color_jitter"
    package static let summary =
        "Changes brightness, contrast and saturation by the given factors and turns the hue, in the given order."
    package static let parameters = [
        StepParameter("brightness", .number(factors), note: "; 1 changes nothing", standard: 1.0),
        StepParameter("contrast", .number(factors), note: "; 1 changes nothing", standard: 1.0),
        StepParameter("saturation", .number(factors), note: "; 1 changes nothing", standard: 1.0),
        StepParameter(
            "hue", .numberOrNull(-0.5...0.5),
            note: " of a full turn; null leaves it, 0 rounds samples through HSV", standard: .null),
        StepParameter(
            "order",
            .list(of: "names", "brightness, contrast and saturation, with a hue that too, each once"),
            standard: ["brightness", "contrast", "saturation"]),
    ]
    package static let identity: String? = "brightness 1 to 1.0039, contrast 1 and saturation 1 without hue"
    private static let factors = 0.0...100.0

    let brightness: Double
    let contrast: Double
    let saturation: Double
    /// Nil for none.
    let hue: Double?
    let order: [Adjustment]

    package init(parameters: JSONValue) throws(StepError) {
        let reader = try ParameterReader(parameters, for: Self.self)
        guard Adjustment.allCases.contains(where: { reader.has($0.rawValue) }) else {
            throw .missingParameter(
                step: Self.name, path: "brightness",
                expected: "at least one of brightness, contrast, saturation, hue")
        }
        brightness = try reader.number("brightness")
        contrast = try reader.number("contrast")
        saturation = try reader.number("saturation")
        hue = try reader.numberOrNull("hue")
        order = try Self.order(reader, withHue: hue != nil)
    }

    private static func order(_ reader: ParameterReader, withHue: Bool) throws(StepError) -> [Adjustment] {
        let needed = withHue ? Adjustment.allCases : [.brightness, .contrast, .saturation]
        guard reader.has("order") else { return needed }
        let words =
            withHue
            ? "brightness, contrast, saturation and hue, each once"
            : "brightness, contrast and saturation, each once"
        var order: [Adjustment] = []
        for (index, value) in try reader.list("order", words, counts: needed.count...needed.count)
            .enumerated()
        {
            order.append(try reader.choice(value, path: "order[\(index)]"))
        }
        guard Set(order) == Set(needed) else {
            throw .inconsistent(step: name, path: "order", detail: "must name \(words)")
        }
        return order
    }

    /// Without a hue the member is omitted, so that draws from before the parameter existed read the same.
    package var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("step", .string(Self.name)), .init("brightness", .number(brightness)),
            .init("contrast", .number(contrast)), .init("saturation", .number(saturation)),
        ]
        if let hue { members.append(.init("hue", .number(hue))) }
        members.append(.init("order", .array(order.map { .string($0.rawValue) })))
        return .object(members)
    }

    package func leavesUnchanged(_ size: PixelSize) -> Bool {
        hue == nil && Self.keepsLevels(brightness, from: 0) && Self.keepsLevels(contrast, from: 128)
            && Self.keepsLevels(saturation, from: 128)
    }

    /// Returns whether blending with this level changes no level. Truncation and clipping undo a brightness from 1 to
    /// 256 / 255.
    private static func keepsLevels(_ factor: Double, from level: UInt8) -> Bool {
        guard Float(factor) != 1 else { return true }
        let ramp = [UInt8](0...255)
        var blended = ramp
        // 256 levels are not a multiple of three samples.
        blended += [0, 0]
        do throws(StepError) {
            try PixelKernels.best.blend(&blended, factor: Float(factor), level: level)
        } catch {
            return false
        }
        return blended.prefix(256) == ramp[...]
    }

    package func demand(for size: PixelSize) -> WorkDemand {
        .picture(size, operations: hue == nil ? 24 : 64)
    }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        var samples = try image.copiedSamples(watch)
        for adjustment in order {
            switch adjustment {
            case .brightness: try Enhancement.brightness(of: &samples, factor: Float(brightness), watch)
            case .contrast: try Enhancement.contrast(of: &samples, factor: Float(contrast), watch)
            case .saturation: try Enhancement.saturation(of: &samples, factor: Float(saturation), watch)
            case .hue: if let hue { try HueShift(factor: hue).apply(to: &samples, watch) }
            }
        }
        return PixelImage(width: image.width, height: image.height, samples: samples)
    }
}
