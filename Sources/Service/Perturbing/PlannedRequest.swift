import HTTP
import Images

/// A request with drawn views and known cost. Nothing is decoded yet.
struct PlannedRequest: Sendable {
    let request: PerturbRequest
    let format: PerturbSettings.Format
    let encoding: ImageEncoding
    let terms: PerturbTerms
    let plan: PerturbPlan
    /// The pictures that have views, or an error for steps that do not fit.
    let drawn: Result<[PerturbedPicture], Problem>

    /// Claims the memory of planning.
    /// - Throws: faults of the pictures' headers.
    init(
        _ request: PerturbRequest, format: PerturbSettings.Format, _ terms: PerturbTerms,
        _ scope: RequestScope
    ) throws(Problem) {
        let encoding = request.settings.encoding(format)
        try request.claimMemory(request.planningBytes, of: terms.memoryBudget, scope)
        let claims = try request.claims(terms.limits)
        let drawn = Result { () throws(Problem) in
            try request.drawn(for: claims.map(\.size), encoding, WorkWatch { scope.isWanted })
        }
        self.request = request
        self.format = format
        self.encoding = encoding
        self.terms = terms
        self.drawn = drawn
        plan = PerturbPlan(request, claims, (try? drawn.get()) ?? [], encoding, terms)
    }

    var cost: WorkCost { WorkCost(operations: plan.operations) }
}
