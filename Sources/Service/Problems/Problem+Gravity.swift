extension Problem.Kind {
    /// From the gravest on: of several kinds of faults in one request, the first of these names the reply.
    ///
    /// What can't be read at all comes before what may not be asked, that before what is wrong in itself, and that before
    /// what could succeed at another time.
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
