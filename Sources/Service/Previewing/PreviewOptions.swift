/// What a contact sheet looks like, and how a client's picture is read.
struct PreviewOptions: Sendable {
    var draws = 8
    /// Of a cell, in pixels.
    var width = 336
    var columns = 3
    /// Only how files are decoded.
    var reading = PerturbSettings()

    /// With the built-in picture.
    static let drawing = OptionTable<PreviewOptions>(options: [
        .integer("draws", \.draws, 1...64), .integer("width", \.width, 64...1024),
        .integer("columns", \.columns, 1...16),
    ])

    /// With a picture of the client's.
    static let all = OptionTable<PreviewOptions>(
        options: drawing.options
            + PerturbSettings.table.options.filter {
                PerturbSettings.ofFiles.contains($0.name)
            }.map { $0.lifted(\.reading) })
}
