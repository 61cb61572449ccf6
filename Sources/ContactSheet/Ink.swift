/// A color to draw with.
struct Ink: Sendable, Equatable {
    let red, green, blue: UInt8

    init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    static let white = Ink(255, 255, 255)
    static let black = Ink(0, 0, 0)
}
