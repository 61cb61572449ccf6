internal import Images
internal import JSON

/// A rectangle inside a picture, as a parameter of steps that cut out or cover one.
struct PixelRectangle: Sendable, Equatable {
    let left, top, width, height: Int

    /// - Parameter least: the smallest width and height.
    static func parameters(least: Int64) -> [StepParameter] {
        let most = Int64(Int32.max)
        return [
            StepParameter("left", .integer(0...most), range: "0 … picture's width − width"),
            StepParameter("top", .integer(0...most), range: "0 … picture's height − height"),
            StepParameter("width", .integer(least...most), range: "\(least) … picture's width"),
            StepParameter("height", .integer(least...most), range: "\(least) … picture's height"),
        ]
    }

    init(left: Int, top: Int, width: Int, height: Int) {
        self.left = left
        self.top = top
        self.width = width
        self.height = height
    }

    /// The rectangle of a whole picture.
    init(_ size: PixelSize) { self.init(left: 0, top: 0, width: size.width, height: size.height) }

    init(_ reader: ParameterReader) throws(StepError) {
        left = try reader.integer("left")
        top = try reader.integer("top")
        width = try reader.integer("width")
        height = try reader.integer("height")
    }

    var size: PixelSize { PixelSize(width: width, height: height) }

    var members: [JSONValue.Member] {
        [("left", left), ("top", top), ("width", width), ("height", height)]
            .map { .init($0.0, .integer(Int64($0.1))) }
    }

    /// - Throws: `doesNotFit` if the rectangle extends beyond a picture of this size.
    func check(fits size: PixelSize, of step: String) throws(StepError) {
        guard left + width <= size.width, top + height <= size.height else {
            throw .doesNotFit(
                step: step, path: left + width <= size.width ? "height" : "width",
                detail:
                    "the rectangle at (\(left), \(top)) of \(width) × \(height) pixels reaches outside the "
                    + "picture of \(size) pixels")
        }
    }
}
