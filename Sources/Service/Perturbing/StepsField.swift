import HTTPTypes

/// The header field with the steps that made a picture.
enum StepsField {
    /// The longest text. Proxies accept a whole header of 4 to 8 KiB; nginx reserves one page for it.
    static let longest = 3 << 10

    /// - Parameter steps: the steps as JSON text. If it is too long, the field says so and names an alternative.
    static func field(_ steps: String) -> HTTPField {
        let count = steps.utf8.count
        guard count > longest else { return HTTPField(name: .perceptionSteps, value: steps) }
        return HTTPField(
            name: .perceptionStepsOmitted,
            value: "\(count) bytes; replies of other forms have them, such as with Accept: application/json")
    }
}
