/// How a picture is sampled between its pixels.
enum Interpolation: String, Sendable, CaseIterable {
    case nearest, bilinear
}
