import EngineReplies
import Images
import JSON
import Perturbation
import SharedFiles
import Tensor

// This file turns the errors of the other modules into problems, by exhaustive switches.

extension Problem {
    init(_ error: JSONError, field: String) {
        let advice = error.reason == .nonFiniteNumber ? "; safetensors can hold them" : ""
        self.init(
            .malformedJSON,
            Reason("\(error)\(advice)", field: field.isEmpty ? "body" : field, byte: error.byte))
    }

    /// - Parameter schema: the operation's schema, which says what the tensor at fault may contain.
    init(_ error: SafetensorsError, _ schema: TensorSchema? = nil) {
        // The file is valid if its element type belongs to the format but is not supported here.
        guard case .unknownElementType(let tensor, let word) = error.reason,
            Safetensors.otherElementTypes.contains(word)
        else {
            self.init(
                .malformedSafetensors, Reason("\(error)", field: error.tensor ?? "body", byte: error.byte))
            return
        }
        self.init(
            .invalidElementType,
            Reason(
                "wrong element type", field: tensor, byte: error.byte,
                expected: schema?[tensor]?.elements.words
                    ?? ElementType.allCases.map(\.rawValue).joined(separator: ", "), found: word))
    }
}

extension Problem {
    /// - Parameter field: the path of the engine's reply.
    init(_ error: EngineReplyError, field: String) {
        let kind: Kind =
            switch error.reason {
            case .json(.wrongKind): .invalidType
            case .json: .malformedJSON
            case .unknownForm, .onlyGenerated, .notAskedFor, .missingMember, .noBest: .missingField
            case .lengthsDiffer, .tooFewEntries: .invalidShape
            case .invalidTokenID, .duplicateTokenID, .invalidCount, .invalidBase64, .unsupportedElementType,
                .severalChoices, .otherToken, .notALogProb:
                .invalidValue
            case .impossibleToken: .nonFiniteValue
            }
        let path = error.path.isEmpty ? field : "\(field).\(error.path)"
        self.init(kind, Reason("\(error)", field: path, byte: error.byte))
    }
}

extension Problem {
    /// - Parameter field: the parameter that names the file.
    init(_ error: SharedFileError, field: String, name: String) {
        let (kind, reason, expected): (Kind, String, String?) =
            switch error {
            case .invalidName:
                (
                    .invalidSharedFile, "not a file name",
                    "1 to 200 of A–Z a–z 0–9 . _ - without folders and not starting with a dot"
                )
            case .noSuchFile: (.invalidSharedFile, "there is no such file in the shared directory", nil)
            case .notARegularFile: (.invalidSharedFile, "not a regular file: links are not followed", nil)
            case .permissionDenied: (.invalidSharedFile, "the server may not use this file or folder", nil)
            case .changed: (.sharedFileChanged, "it changed while it was used", "a file that does not change")
            case .sparse(let missing):
                (
                    .invalidSharedFile,
                    "\(missing) of its bytes are holes, which would occupy memory once they are read",
                    "a file that is written throughout, or reserved with posix_fallocate"
                )
            case .noSpace(let bytes):
                (.sharedStorageFull, "the shared directory has no space for the result", "\(bytes) free bytes")
            case .tooManyMapped: (.busy, "too many files are open; try again", nil)
            case .system(let call, let number):
                (.invalidSharedFile, "the system refuses \(call): error \(number)", nil)
            }
        var limitName: String?
        if case .tooManyMapped = error { limitName = "open_files" }
        self.init(kind, Reason(reason, field: field, expected: expected, found: name), limitName: limitName)
    }
}

extension Problem.Kind {
    init(_ error: ImageError) {
        self =
            switch error {
            case .empty, .truncated, .damaged, .malformed: .malformedImage
            case .unknownFormat, .unsupported, .unencodable: .unsupportedImage
            case .tooManyPixels, .limitExceeded: .imageTooLarge
            case .invalidOption: .invalidOption
            case .outOfMemory: .memoryBudgetExceeded
            case .unwanted: .deadlineExceeded
            }
    }
}

extension Problem.Reason {
    init(_ error: ImageError, field: String) {
        let byte: Int? =
            switch error {
            case .truncated(_, let byte, _), .damaged(_, let byte, _), .malformed(_, let byte, _): byte
            case .empty, .unknownFormat, .unsupported, .tooManyPixels, .limitExceeded, .invalidOption,
                .unencodable,
                .outOfMemory, .unwanted:
                nil
            }
        self.init(error.message, field: field, byte: byte)
    }

    init(_ error: StepError, field: String) {
        self.init(error.message, field: error.path.map { "\(field).\($0)" } ?? field)
    }
}
