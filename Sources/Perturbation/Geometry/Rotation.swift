internal import Glibc
package import Images
package import JSON

/// Turns the picture counter-clockwise about its centre, as Pillow's `Image.rotate` and so torchvision's `rotate`.
///
/// Equal to Pillow in every sample, for both interpolations, with and without `expand`. Cosine and sine are rounded to
/// 15 decimals as in Pillow, so they are equal with every C library.
package struct Rotation: PerturbationStep, Equatable {
    package static let name = "rotation"
    package static let summary = "Turns the picture counter-clockwise about its centre."
    package static let parameters = [
        StepParameter("degrees", .number(-360...360)),
        StepParameter("interpolation", .word(Interpolation.self), standard: "nearest"),
        StepParameter(
            "expand", .boolean,
            range: "true makes room for the corners and changes the size, to at most 100,000,000 pixels",
            standard: false),
        .fill(),
    ]

    let degrees: Double
    let interpolation: Interpolation
    let expand: Bool
    let fill: FillColor

    init(
        degrees: Double, interpolation: Interpolation = .nearest, expand: Bool = false,
        fill: FillColor = FillColor(red: 0, green: 0, blue: 0)
    ) {
        self.degrees = degrees
        self.interpolation = interpolation
        self.expand = expand
        self.fill = fill
    }

    package init(parameters: JSONValue) throws(StepError) {
        let reader = try ParameterReader(parameters, for: Self.self)
        degrees = try reader.number("degrees")
        interpolation = try reader.choice("interpolation")
        expand = try reader.boolean("expand")
        fill = try reader.color("fill")
    }

    package var json: JSONValue {
        [
            "step": .string(Self.name), "degrees": .number(degrees),
            "interpolation": .string(interpolation.rawValue), "expand": .bool(expand), "fill": fill.json,
        ]
    }

    package static let identity: String? = "degrees 0, or so few that no pixel moves"
    package static let changesSize: String? = "with expand"

    package var keepsSize: Bool { !expand }

    package func leavesUnchanged(_ size: PixelSize) -> Bool {
        switch turn(of: size) {
        case .none: true
        case .half, .quarter, .threeQuarters: size.pixelCount == 1
        case .free(let map, let result):
            result == size && map.leavesUnchanged(size, interpolation: interpolation)
        }
    }

    package func outputSize(for size: PixelSize) throws(StepError) -> PixelSize {
        switch turn(of: size) {
        case .none, .half: return size
        case .quarter, .threeQuarters: return PixelSize(width: size.height, height: size.width)
        case .free(_, let grown):
            // A long strip turned by 45° would need the square of its length.
            guard grown == size || grown.pixelCount <= Self.mostPixels else {
                throw .doesNotFit(
                    step: Self.name, path: "expand",
                    detail:
                        "the picture of \(size) pixels would become one of \(grown), over \(Self.mostPixels) pixels"
                )
            }
            return grown
        }
    }

    package func demand(for size: PixelSize) -> WorkDemand {
        switch turn(of: size) {
        case .none: .nothing
        case .half: .picture(size, operations: 6, perRow: 20)
        // Across the rows, unless these are columns.
        case .quarter, .threeQuarters: .picture(size, operations: min(size.width, size.height) < 32 ? 5 : 20)
        case .free(_, let grown): interpolation.demand(for: grown)
        }
    }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        _ = try outputSize(for: image.size)
        switch turn(of: image.size) {
        case .none: return image
        case .half:
            return try image.turned(to: image.size, watch) { (image.width - 1 - $0, image.height - 1 - $1) }
        case .quarter:
            return try image.turned(to: PixelSize(width: image.height, height: image.width), watch) {
                (image.width - 1 - $1, $0)
            }
        case .threeQuarters:
            return try image.turned(to: PixelSize(width: image.height, height: image.width), watch) {
                ($1, image.height - 1 - $0)
            }
        case .free(let map, let size):
            return try map.apply(
                to: image, size: size, interpolation: interpolation, fill: fill, watch)
        }
    }

    private enum Turn {
        case none, quarter, half, threeQuarters
        case free(AffineMap, PixelSize)
    }

    /// Pillow copies or transposes at multiples of 90° if that yields the right size, and samples otherwise.
    private func turn(of size: PixelSize) -> Turn {
        let angle = Self.modulo360(degrees)
        let square = size.width == size.height
        switch angle {
        case 0: return .none
        case 180: return .half
        case 90 where expand || square: return .quarter
        case 270 where expand || square: return .threeQuarters
        default: return free(angle, size)
        }
    }

    private func free(_ angle: Double, _ size: PixelSize) -> Turn {
        let radians = -(angle * (Double.pi / 180))
        let (cosine, sine) = (Decimals.rounded15(cos(radians)), Decimals.rounded15(sin(radians)))
        var map = AffineMap(a: cosine, b: sine, c: 0, d: Decimals.rounded15(-sin(radians)), e: cosine, f: 0)
        let (width, height) = (Double(size.width), Double(size.height))
        let (centreX, centreY) = (width / 2, height / 2)
        let shift = map(-centreX, -centreY)
        map.c = shift.x + centreX
        map.f = shift.y + centreY
        guard expand else { return .free(map, size) }

        let corners = [(0, 0), (width, 0), (width, height), (0, height)].map { map($0.0, $0.1) }
        let (left, right) = Self.extent(corners.map(\.x))
        let (top, bottom) = Self.extent(corners.map(\.y))
        let grown = PixelSize(width: right - left, height: bottom - top)
        let corner = map(-Double(grown.width - size.width) / 2, -Double(grown.height - size.height) / 2)
        map.c = corner.x
        map.f = corner.y
        return .free(map, grown)
    }

    private static func extent(_ values: [Double]) -> (low: Int, high: Int) {
        var (low, high) = (Double.infinity, -Double.infinity)
        for value in values {
            low = min(low, value)
            high = max(high, value)
        }
        return (Int(low.rounded(.down)), Int(high.rounded(.up)))
    }

    /// Python's `degrees % 360.0`: the sign of the divisor.
    private static func modulo360(_ degrees: Double) -> Double {
        let remainder = fmod(degrees, 360)
        return remainder < 0 ? remainder + 360 : remainder
    }
}
