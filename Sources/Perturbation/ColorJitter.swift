package import Images
package import JSON

/// Brightness, contrast and saturation, each as Pillow's `ImageEnhance` and so torchvision's `ColorJitter` without
/// hue: every sample is blended between a degenerate picture d and itself,
///
///     out = d + factor · (v − d)     in Float32, truncated, clipped to 0 … 255 when the factor is outside 0 … 1
///
/// where d is 0 (brightness), the rounded mean of the luma picture (contrast), or the pixel's luma (saturation), and
/// luma = (19595 R + 38470 G + 7471 B + 32768) >> 16. A factor of exactly 1 copies.
///
/// Equal to Pillow in every sample, in every order.
package struct ColorJitter: PerturbationStep, Equatable {
    package enum Adjustment: String, Sendable, CaseIterable {
        case brightness, contrast, saturation
    }

    package static let name = "color_jitter"
    package static let summary =
        "Changes brightness, contrast and saturation by the given factors, in the given order."
    package static let parameters = [
        StepParameter("brightness", type: "number", range: "0 … 100; 1 changes nothing", standard: 1.0),
        StepParameter("contrast", type: "number", range: "0 … 100; 1 changes nothing", standard: 1.0),
        StepParameter("saturation", type: "number", range: "0 … 100; 1 changes nothing", standard: 1.0),
        StepParameter(
            "order", type: "list of names", range: "brightness, contrast and saturation, each once",
            standard: ["brightness", "contrast", "saturation"]),
    ]
    private static let factors = 0.0...100.0

    let brightness: Double
    let contrast: Double
    let saturation: Double
    let order: [Adjustment]

    /// - Precondition: `order` names each adjustment once.
    init(brightness: Double, contrast: Double, saturation: Double, order: [Adjustment]) {
        precondition(order.count == 3 && Set(order).count == 3, "each adjustment has one place in the order")
        self.brightness = brightness
        self.contrast = contrast
        self.saturation = saturation
        self.order = order
    }

    package init(parameters: JSONValue) throws(StepError) {
        let reader = try ParameterReader(parameters, for: Self.self)
        guard Adjustment.allCases.contains(where: { reader.has($0.rawValue) }) else {
            throw .missingParameter(
                step: Self.name, path: "brightness",
                expected: "at least one of brightness, contrast, saturation")
        }
        brightness = try reader.number("brightness", in: Self.factors, standard: 1)
        contrast = try reader.number("contrast", in: Self.factors, standard: 1)
        saturation = try reader.number("saturation", in: Self.factors, standard: 1)
        order = try Self.order(reader)
    }

    private static func order(_ reader: ParameterReader) throws(StepError) -> [Adjustment] {
        guard reader.has("order") else { return Adjustment.allCases }
        let words = "brightness, contrast and saturation, each once"
        var order: [Adjustment] = []
        for (index, value) in try reader.list("order", words, counts: 3...3).enumerated() {
            order.append(try reader.choice(value, path: "order[\(index)]"))
        }
        guard Set(order).count == 3 else {
            throw .inconsistent(step: name, path: "order", detail: "must name \(words)")
        }
        return order
    }

    package var json: JSONValue {
        [
            "step": .string(Self.name), "brightness": .number(brightness), "contrast": .number(contrast),
            "saturation": .number(saturation), "order": .array(order.map { .string($0.rawValue) }),
        ]
    }

    package func apply(to image: PixelImage) throws(StepError) -> PixelImage {
        var samples = image.samples
        for adjustment in order {
            switch adjustment {
            case .brightness: Enhancement.brightness(of: &samples, factor: Float(brightness))
            case .contrast: Enhancement.contrast(of: &samples, factor: Float(contrast))
            case .saturation: Enhancement.saturation(of: &samples, factor: Float(saturation))
            }
        }
        return PixelImage(width: image.width, height: image.height, samples: samples)
    }
}
