import HTTP
import Images

extension PerturbRequest {
    /// Returns the claims of all pictures, from their headers.
    /// - Throws: every picture that cannot be read or is too large.
    func claims(_ limits: ImageLimits) throws(Problem) -> [PictureClaim] {
        var faults = Faults()
        var claims: [PictureClaim] = []
        var tooLarge: Int?
        for (index, picture) in pictures.enumerated() {
            do throws(ImageError) {
                claims.append(try picture.source.claim(settings.decoding, limits))
            } catch {
                if case .tooManyPixels(_, _, let limit) = error { tooLarge = limit }
                faults.add(Problem.Kind(error), Problem.Reason(error, field: field(ofPicture: index)))
            }
        }
        if let tooLarge { throw Problem.imageTooLarge(faults, limit: tooLarge) }
        try faults.check()
        return claims
    }

    /// The bytes of files that were copied out of the body.
    var fileBytes: Int { pictures.reduce(0) { $0.plusSaturating($1.source.heldBytes) } }

    /// The bytes that planning needs: drawn steps, and metadata.
    var planningBytes: Int {
        let largest = pictures.map(\.source.heldBytes).max() ?? 0
        return fileBytes.plusSaturating(textBytes)
            .plusSaturating(
                settings.decoding.orientation == .apply ? ImageHeader.metadataBytes(of: largest) : 0)
    }

    /// Claims this number of bytes.
    /// - Throws: `memory-budget-exceeded` if they never fit in the budget, `busy` if they do not fit now.
    func claimMemory(_ needed: Int, of budget: Int, _ scope: RequestScope) throws(Problem) {
        guard needed <= budget else {
            throw Problem(
                .memoryBudgetExceeded,
                Problem.Reason(
                    "the views of this request need too much memory; send fewer pictures, views or variants at once",
                    field: form == nil ? "body" : "images", expected: "at most \(budget) bytes",
                    found: "at least \(needed) bytes"),
                limit: budget)
        }
        try scope.claimMemory(needed)
    }
}

extension Problem {
    fileprivate static func imageTooLarge(_ faults: Faults, limit: Int) -> Problem {
        do throws(Problem) {
            try faults.check()
        } catch {
            return error.kind == .imageTooLarge ? error.limited(to: limit) : error
        }
        preconditionFailure("a picture that is too large is a fault")
    }
}
