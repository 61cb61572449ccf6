import HTTP
import JSON
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
