extension Problem.Kind {
    /// The kinds in order of gravity. If a request has several kinds of faults, the first of these names the reply.
    ///
    /// Unreadable requests come first, then requests that are not allowed, then invalid values, then requests that
    /// could succeed later.
    package static let byGravity: [Problem.Kind] = [
        .malformedRequest, .malformedJSON, .malformedSafetensors, .malformedMultipart, .missingField,
        .unknownField, .unknownOption, .invalidType, .unauthorized, .forbidden, .notFound,
        .methodNotAllowed, .requestTimeout, .bodyTooLarge, .imageTooLarge, .targetTooLong,
        .unsupportedMediaType, .unsupportedEncoding, .expectationFailed, .invalidOption, .invalidShape,
        .invalidElementType, .invalidValue, .nonFiniteValue, .conflictingFields, .duplicateID,
        .unknownRecipe, .invalidStep, .malformedImage, .unsupportedImage, .invalidSharedFile,
        .sharedFileChanged, .sharedStorageFull, .headersTooLarge, .busy, .draining, .deadlineExceeded,
        .memoryBudgetExceeded,
    ]
}
