internal import Images
internal import JSON

extension StepForm {
    /// As torchvision's `RandomPerspective`: each corner moved inwards by integers uniform in 0 … ⌊distortion · ⌊side /
    /// 2⌋⌋, x before y, in the order top left, top right, bottom right, bottom left; drawn again if three of them are
    /// on a line, which requires a distortion over ½.
    static let perspective = StepForm(
        step: Perspective.self,
        parameters: [
            Parameter(name: "distortion", standard: .fixed(0.2), range: 0...1),
            Parameter(name: "interpolation", standard: nil), Parameter(name: "fill", standard: nil),
        ],
        draw: { values, stream, context throws(StepError) in
            let distortion = values.share("distortion", &stream, context)
            let rest = ["interpolation", "fill"].compactMap { name in
                values.draw(name, &stream, context).map { JSONValue.Member(name, $0) }
            }
            let (right, bottom) = (context.size.width - 1, context.size.height - 1)
            let across = 0...(context.size.width / 2 * distortion / 10_000)
            let down = 0...(context.size.height / 2 * distortion / 10_000)
            let corners = [(0, 0), (right, 0), (right, bottom), (0, bottom)].map {
                Perspective.Point(x: $0.0, y: $0.1)
            }
            var moved: [Perspective.Point] = []
            repeat {
                moved = corners.enumerated().map { place, corner in
                    let inwardsX = stream.integer(in: across)
                    let inwardsY = stream.integer(in: down)
                    return Perspective.Point(
                        x: place == 0 || place == 3 ? inwardsX : corner.x - inwardsX,
                        y: place < 2 ? inwardsY : corner.y - inwardsY)
                }
            } while Perspective.hasThreeOnLine(moved)
            return try Perspective(
                parameters: .object(
                    [
                        .init("startpoints", .array(corners.map(\.json))),
                        .init("endpoints", .array(moved.map(\.json))),
                    ] + rest))
        },
        // If no corner can move, or a side of one pixel allows no quadrilateral, there is nothing to draw.
        isPossible: { values, size in
            let most = values.distributions["distortion"]?.extremes.compactMap(\.double).max() ?? 0
            return min(size.width, size.height) >= 2
                && min(size.width, size.height) / 2 * Int((most * 10_000).rounded()) >= 10_000
        })

    /// As the CPPO references' noise patches: `count` patches, each ⌊s · picture's width⌋ wide and ⌊t · picture's
    /// height⌋ high, at least 1, for s, then t; then x, then y uniform wherever the patch lies inside.
    static let occlusion = StepForm(
        step: Occlusion.self,
        parameters: [
            Parameter(name: "count", standard: .fixed(50), range: 0...4096, isWhole: true),
            Parameter(name: "width_ratio", standard: .uniform(500...1500), range: 0...1),
            Parameter(name: "height_ratio", standard: .uniform(500...1500), range: 0...1),
            Parameter(name: "noise_seed", standard: .seeds, range: 0...0x1p63, isWhole: true),
        ]
    ) { values, stream, context throws(StepError) in
        let size = context.size
        let patches = (0..<Int(values.draw("count", &stream, context)?.double ?? 0)).map { _ in
            let width = max(1, size.width * values.share("width_ratio", &stream, context) / 10_000)
            let height = max(1, size.height * values.share("height_ratio", &stream, context) / 10_000)
            let x = stream.integer(in: 0...(size.width - width))
            let y = stream.integer(in: 0...(size.height - height))
            return Occlusion.Patch(x: x, y: y, width: width, height: height)
        }
        let seed = values.draw("noise_seed", &stream, context)?.integer ?? 0
        return Occlusion(patches: patches, noiseSeed: seed)
    }

    /// A rectangle of ⌊scale · side⌋, at least 1, of both sides, anywhere inside: left, then top.
    static let zoomCrop = StepForm(
        step: ZoomCrop.self,
        parameters: [Parameter(name: "scale", standard: .uniform(6000...7000), range: 0...1)]
    ) { values, stream, context throws(StepError) in
        let (size, scale) = (context.size, values.share("scale", &stream, context))
        let (width, height) = (max(1, size.width * scale / 10_000), max(1, size.height * scale / 10_000))
        let left = stream.integer(in: 0...(size.width - width))
        let top = stream.integer(in: 0...(size.height - height))
        return ZoomCrop(PixelRectangle(left: left, top: top, width: width, height: height))
    }

    /// As NoisyRollout's black box: ⌊side_ratio · side⌋ of both sides, anywhere inside: left, then top.
    static let cropFill = StepForm(
        step: CropFill.self,
        parameters: [
            Parameter(name: "side_ratio", standard: nil, range: 0...1),
            Parameter(name: "fill", standard: nil),
        ]
    ) { values, stream, context throws(StepError) in
        let (size, ratio) = (context.size, values.share("side_ratio", &stream, context))
        let fill = values.draw("fill", &stream, context)
        let (width, height) = (size.width * ratio / 10_000, size.height * ratio / 10_000)
        let left = stream.integer(in: 0...(size.width - width))
        let top = stream.integer(in: 0...(size.height - height))
        let rectangle = PixelRectangle(left: left, top: top, width: width, height: height)
        return try CropFill(
            parameters: .object(rectangle.members + (fill.map { [.init("fill", $0)] } ?? [])))
    }
}
