import Images
import JSON
import Perturbation
import Tensor

// The one place where the errors of the rooms below become problems, by exhaustive switches.

extension Problem {
    init(_ error: JSONError, field: String) {
        self.init(
            .malformedJSON, Reason("\(error)", field: field.isEmpty ? "body" : field, byte: error.byte))
    }

    init(_ error: SafetensorsError) {
        self.init(.malformedSafetensors, Reason("\(error)", field: error.tensor ?? "body", byte: error.byte))
    }
}

extension Problem.Kind {
    init(_ error: ImageError) {
        self =
            switch error {
            case .empty, .truncated, .malformed: .malformedImage
            case .unknownFormat, .unsupported, .unencodable: .unsupportedImage
            case .tooManyPixels, .limitExceeded: .imageTooLarge
            case .invalidOption: .invalidOption
            case .outOfMemory: .memoryBudgetExceeded
            }
    }
}

extension Problem.Reason {
    init(_ error: ImageError, field: String) {
        let byte: Int? =
            switch error {
            case .truncated(_, let byte, _), .malformed(_, let byte, _): byte
            case .empty, .unknownFormat, .unsupported, .tooManyPixels, .limitExceeded, .invalidOption,
                .unencodable,
                .outOfMemory:
                nil
            }
        self.init(error.message, field: field, byte: byte)
    }

    init(_ error: StepError, field: String) {
        self.init(error.message, field: error.path.map { "\(field).\($0)" } ?? field)
    }
}
