import HTTPTypes

/// The header that says which steps made a picture.
enum StepsField {
    /// Of the text. Proxies take a whole header of 4 to 8 KiB: nginx has one page for it.
    static let longest = 3 << 10

    /// - Parameter steps: as JSON text. Where it is too long, the field says so, and where it is to be had.
    static func field(_ steps: String) -> HTTPField {
        let count = steps.utf8.count
        guard count > longest else { return HTTPField(name: .perceptionSteps, value: steps) }
        return HTTPField(
            name: .perceptionStepsOmitted,
            value: "\(count) bytes; replies of other forms have them, such as with Accept: application/json")
    }
}
