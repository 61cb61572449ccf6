internal import JSON

/// The color of the area outside the picture.
struct FillColor: Sendable, Equatable {
    let red, green, blue: UInt8

    static let black = FillColor(red: 0, green: 0, blue: 0)
    static let gray = FillColor(red: 128, green: 128, blue: 128)
    static let white = FillColor(red: 255, green: 255, blue: 255)

    var json: JSONValue { [.integer(Int64(red)), .integer(Int64(green)), .integer(Int64(blue))] }
}
