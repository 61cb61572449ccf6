package import Images
package import JSON

/// Maps four points of the picture to four others, as torchvision's `perspective` with bilinear interpolation on a PIL
/// image: `startpoints` are positions in the picture, `endpoints` where they land, each in the order top left, top
/// right, bottom right, bottom left.
///
/// Sampling is Pillow's `Transform.PERSPECTIVE` in Double, bit for bit. The eight coefficients are the solution of
/// torchvision's linear system in Double, rounded to Float32 as there. torchvision solves it by LAPACK's least
/// squares; the two agree in every bit unless a coefficient is truly zero, which LAPACK leaves at about 1e-17. That
/// happens when the corners of a whole side stay in place: rows or columns then map exactly onto pixels, and where
/// torchvision's noise lands below them, truncation takes one level off samples that this step keeps. With all
/// corners moved, samples are equal.
package struct Perspective: PerturbationStep, Equatable {
    package static let name = "perspective"
    package static let summary =
        "Moves four points of the picture to four others, as if seen from another angle."
    private static let reach: ClosedRange<Int64> = -1_000_000_000...1_000_000_000
    package static let parameters = [
        StepParameter(
            "startpoints", .corners(reach),
            note: ", no three on a line; top left, top right, bottom right, bottom left"),
        StepParameter(
            "endpoints", .corners(reach), note: ", no three on a line; where the startpoints land"),
        StepParameter("interpolation", .word(Interpolation.self), standard: "bilinear"),
        .fill(),
    ]

    package static let identity: String? =
        "endpoints equal to startpoints, or so close to them that no pixel moves"

    struct Point: Sendable, Equatable {
        let x, y: Int

        var json: JSONValue { [.integer(Int64(x)), .integer(Int64(y))] }
    }

    let startpoints: [Point]
    let endpoints: [Point]
    let interpolation: Interpolation
    let fill: FillColor

    init(
        startpoints: [Point], endpoints: [Point], interpolation: Interpolation = .bilinear,
        fill: FillColor = FillColor(red: 0, green: 0, blue: 0)
    ) {
        self.startpoints = startpoints
        self.endpoints = endpoints
        self.interpolation = interpolation
        self.fill = fill
    }

    package init(parameters: JSONValue) throws(StepError) {
        let reader = try ParameterReader(parameters, for: Self.self)
        startpoints = try Self.corners("startpoints", reader)
        endpoints = try Self.corners("endpoints", reader)
        interpolation = try reader.choice("interpolation")
        fill = try reader.color("fill")
    }

    private static func corners(_ name: String, _ reader: ParameterReader) throws(StepError) -> [Point] {
        let points = try reader.corners(name).map { Point(x: $0.x, y: $0.y) }
        guard !hasThreeOnLine(points) else {
            throw .inconsistent(step: Self.name, path: name, detail: "three of the points lie on one line")
        }
        return points
    }

    static func hasThreeOnLine(_ points: [Point]) -> Bool {
        points.indices.contains { left in
            let others = points.indices.filter { $0 != left }.map { points[$0] }
            return (others[1].x - others[0].x) * (others[2].y - others[0].y)
                == (others[1].y - others[0].y) * (others[2].x - others[0].x)
        }
    }

    package var json: JSONValue {
        [
            "step": .string(Self.name), "startpoints": .array(startpoints.map(\.json)),
            "endpoints": .array(endpoints.map(\.json)), "interpolation": .string(interpolation.rawValue),
            "fill": fill.json,
        ]
    }

    package func leavesUnchanged(_ size: PixelSize) -> Bool {
        startpoints == endpoints || map.leavesUnchanged(size, interpolation: interpolation)
    }

    private var map: PerspectiveMap {
        PerspectiveMap(
            from: endpoints.map { (Double($0.x), Double($0.y)) },
            to: startpoints.map { (Double($0.x), Double($0.y)) })
    }

    package func demand(for size: PixelSize) -> WorkDemand {
        startpoints == endpoints
            ? .nothing : interpolation.demand(for: size)
    }

    package func apply(to image: PixelImage, _ watch: WorkWatch) throws(StepError) -> PixelImage {
        guard startpoints != endpoints else { return image }
        return try map.apply(to: image, interpolation: interpolation, fill: fill, watch)
    }
}
