/// The reason why a step's description is refused, or why a step does not fit a picture. `message` says it in one
/// sentence, and `path` names the parameter, such as `patches[3]`.
package enum StepError: Error, Sendable, Equatable {
    /// The description is not a JSON object, or the list of steps is not an array.
    case wrongShape(expected: String, found: String)
    /// The object has no `step` member.
    case missingName
    case unknownStep(name: String, nearest: String?)
    case unknownParameter(step: String, path: String, nearest: String?)
    case missingParameter(step: String, path: String, expected: String)
    /// The object has the member twice.
    case repeatedParameter(step: String, path: String)
    case wrongType(step: String, path: String, expected: String, found: String)
    case nonFinite(step: String, path: String)
    case outOfRange(step: String, path: String, expected: String, found: String)
    /// Each parameter is valid, but their combination is not, such as corner points on one line.
    case inconsistent(step: String, path: String, detail: String)
    /// The step is valid, but not for a picture of this size.
    case doesNotFit(step: String, path: String, detail: String)
    /// The result is no longer wanted.
    case unwanted
}

extension StepError {
    /// The name of the step, or nil if unknown.
    package var step: String? {
        switch self {
        case .wrongShape, .missingName, .unwanted: nil
        case .unknownStep(let name, _): name
        case .unknownParameter(let step, _, _), .missingParameter(let step, _, _),
            .repeatedParameter(let step, _),
            .wrongType(let step, _, _, _), .nonFinite(let step, _), .outOfRange(let step, _, _, _),
            .inconsistent(let step, _, _), .doesNotFit(let step, _, _):
            step
        }
    }

    /// The path of the parameter within the step, or nil for the step as a whole.
    package var path: String? {
        switch self {
        case .wrongShape, .unwanted: nil
        case .missingName, .unknownStep: "step"
        case .unknownParameter(_, let path, _), .missingParameter(_, let path, _),
            .repeatedParameter(_, let path),
            .wrongType(_, let path, _, _), .nonFinite(_, let path), .outOfRange(_, let path, _, _),
            .inconsistent(_, let path, _), .doesNotFit(_, let path, _):
            path
        }
    }

    package var message: String {
        switch self {
        case .wrongShape(let expected, let found):
            "expected \(expected), found \(found)"
        case .missingName:
            "a step needs its name: {\"step\": \"rotation\", …}"
        case .unknownStep(let name, let nearest):
            "unknown step \"\(name)\"" + Self.suggestion(nearest)
        case .unknownParameter(let step, let path, let nearest):
            "\(step) has no parameter \"\(path)\"" + Self.suggestion(nearest)
        case .missingParameter(let step, let path, let expected):
            "\(step) needs \(path): \(expected)"
        case .repeatedParameter(let step, let path):
            "\(step).\(path) is given twice"
        case .wrongType(let step, let path, let expected, let found):
            "\(step).\(path) must be \(expected), found \(found)"
        case .nonFinite(let step, let path):
            "\(step).\(path) must be a finite number"
        case .outOfRange(let step, let path, let expected, let found):
            "\(step).\(path) must be \(expected), found \(found)"
        case .inconsistent(let step, let path, let detail), .doesNotFit(let step, let path, let detail):
            "\(step).\(path): \(detail)"
        case .unwanted:
            "the result is no longer wanted"
        }
    }

    private static func suggestion(_ nearest: String?) -> String {
        guard let nearest else { return "" }
        return "; did you mean \"\(nearest)\"?"
    }
}
