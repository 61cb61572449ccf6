import HTTP
import Images

/// A request whose views are drawn and whose cost is known; nothing is decoded yet.
struct PlannedRequest: Sendable {
    let request: PerturbRequest
    let format: PerturbSettings.Format
    let encoding: ImageEncoding
    let terms: PerturbTerms
    let plan: PerturbPlan
    /// The pictures that have views, or the steps that don't fit them.
    let drawn: Result<[PerturbedPicture], Problem>

    /// Claims what planning takes.
    /// - Throws: what is wrong with the headers of pictures.
    init(
        _ request: PerturbRequest, format: PerturbSettings.Format, _ terms: PerturbTerms,
        _ scope: RequestScope
    ) throws(Problem) {
        let encoding = request.settings.encoding(format)
        try request.claimMemory(request.planningBytes, of: terms.memoryBudget, scope)
        let claims = try request.claims(terms.limits)
        let drawn = Result { () throws(Problem) in try request.drawn(for: claims.map(\.size), encoding) }
        self.request = request
        self.format = format
        self.encoding = encoding
        self.terms = terms
        self.drawn = drawn
        plan = PerturbPlan(request, claims, (try? drawn.get()) ?? [], encoding, terms)
    }

    var cost: WorkCost { WorkCost(operations: plan.operations) }
}
