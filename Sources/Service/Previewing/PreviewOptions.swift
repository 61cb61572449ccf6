/// The options of a contact sheet, and of reading a client's picture.
struct PreviewOptions: Sendable {
    var draws = 8
    /// The width of a cell, in pixels.
    var width = 336
    var columns = 3
    /// Only the settings of decoding are used.
    var reading = PerturbSettings()

    /// The options for the built-in picture.
    static let drawing = OptionTable<PreviewOptions>(options: [
        .integer("draws", \.draws, 1...64), .integer("width", \.width, 64...1024),
        .integer("columns", \.columns, 1...16),
    ])

    /// The options for a client's picture.
    static let all = OptionTable<PreviewOptions>(
        options: drawing.options
            + PerturbSettings.table.options.filter {
                PerturbSettings.ofFiles.contains($0.name)
            }.map { $0.lifted(\.reading) })
}
