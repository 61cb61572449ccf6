internal import Glibc
package import Images
package import JSON

/// Turns (clockwise, as torchvision's `affine` does, and unlike `rotation`), scales, shears and shifts about the
/// picture's centre, as torchvision's `affine` on a PIL image.
///
/// Equal to torchvision in every sample. Cosine, sine and tangent are the C library's, as in Python, unrounded.
package struct Affine: PerturbationStep, Equatable {
    package static let name = "affine"
    package static let summary =
        "Turns clockwise, scales, shears and shifts about the picture's centre, keeping its size."
    package static let parameters = [
        StepParameter("degrees", .number(-360...360), standard: 0.0),
        StepParameter(
            "translate", .integerPair(-1_000_000...1_000_000), note: " pixels", standard: [0, 0]),
        StepParameter("scale", .number(0.001...1000), standard: 1.0),
        StepParameter("shear", .numberPair(-89...89), note: " degrees", standard: [0.0, 0.0]),
        StepParameter("interpolation", .word(Interpolation.self), standard: "nearest"),
        .fill(),
    ]
    package static let identity: String? =
        "degrees 0, translate [0, 0], scale 1 and shear [0, 0], or so close to them that no pixel moves"

    let degrees: Double
    let translateX, translateY: Int
    let scale: Double
    let shearX, shearY: Double
    let interpolation: Interpolation
    let fill: FillColor

    package init(parameters: JSONValue) throws(StepError) {
        let reader = try ParameterReader(parameters, for: Self.self)
        degrees = try reader.number("degrees")
        scale = try reader.number("scale")
        interpolation = try reader.choice("interpolation")
        fill = try reader.color("fill")
        (translateX, translateY) = try reader.integerPair("translate")
        (shearX, shearY) = try reader.numberPair("shear")
    }

    package var json: JSONValue {
        [
            "step": .string(Self.name), "degrees": .number(degrees),
            "translate": [.integer(Int64(translateX)), .integer(Int64(translateY))], "scale": .number(scale),
            "shear": [.number(shearX), .number(shearY)], "interpolation": .string(interpolation.rawValue),
            "fill": fill.json,
        ]
    }

    package func leavesUnchanged(_ size: PixelSize) -> Bool {
        inverse(for: size).leavesUnchanged(size, interpolation: interpolation)
    }

    package func demand(for size: PixelSize) -> WorkDemand {
        interpolation.demand(for: size)
    }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        try inverse(for: image.size).apply(
            to: image, size: image.size, interpolation: interpolation, fill: fill, watch)
    }

    /// torchvision's `_get_inverse_affine_matrix`, operation for operation.
    private func inverse(for size: PixelSize) -> AffineMap {
        let (angle, x, y) = (Self.radians(degrees), Self.radians(shearX), Self.radians(shearY))
        let (centreX, centreY) = (Double(size.width) * 0.5, Double(size.height) * 0.5)
        let a = cos(angle - y) / cos(y)
        let b = -cos(angle - y) * tan(x) / cos(y) - sin(angle)
        let c = sin(angle - y) / cos(y)
        let d = -sin(angle - y) * tan(x) / cos(y) + cos(angle)
        var map = AffineMap(a: d / scale, b: -b / scale, c: 0, d: -c / scale, e: a / scale, f: 0)
        let (shiftX, shiftY) = (-centreX - Double(translateX), -centreY - Double(translateY))
        map.c = map.a * shiftX + map.b * shiftY + centreX
        map.f = map.d * shiftX + map.e * shiftY + centreY
        return map
    }

    /// Python's `math.radians`.
    private static func radians(_ degrees: Double) -> Double { degrees * (Double.pi / 180) }
}
