internal import Images
internal import JSON

/// A step of a recipe with the distributions of its parameters.
///
/// Every draw takes the words of its `RandomStream` in the order in which the form lists its parameters, whatever their
/// order in the recipe's text. That order is part of the contract.
struct StepDistribution: Sendable {
    let form: StepForm
    /// The members as in the recipe.
    let given: [(name: String, value: ValueDistribution)]
    let values: StepForm.Values

    /// The number of times that a step without effect is drawn again with `always`.
    private static let mostAttempts = 1000

    /// Reads `{"step": name, parameter: value, …}`; `members` are those without `applied`.
    init(members: [JSONValue.Member]) throws(StepError) {
        guard let name = members.first(where: { $0.name == "step" })?.value.string else { throw .missingName }
        let step = try StepCatalogue.type(named: name)
        let others = members.filter { $0.name != "step" }
        form = StepForm.form(of: step, given: others.map(\.name))
        let names = form.parameters.map(\.name)
        var given: [(name: String, value: ValueDistribution)] = []
        for member in others {
            guard names.contains(member.name) else { throw .unknown(member.name, in: name, known: names) }
            guard !given.contains(where: { $0.name == member.name }) else {
                throw .repeatedParameter(step: name, path: member.name)
            }
            given.append((member.name, try ValueDistribution(member.value, step: name, path: member.name)))
        }
        self.given = given
        var distributions: [String: ValueDistribution] = [:]
        for parameter in form.parameters {
            distributions[parameter.name] =
                given.first { $0.name == parameter.name }?.value ?? parameter.standard
        }
        values = StepForm.Values(distributions: distributions)
        try checkRanges()
        try checkEnds()
    }

    var readsDrawnSecond: Bool { form.step is any PairStep.Type && values.distributions["image"] == nil }

    var isScheduled: Bool { given.contains { $0.value.isScheduled } }

    /// Whether every draw keeps the picture's size.
    var keepsSize: Bool {
        guard form.step.changesSize != nil else { return true }
        guard let expand = values.distributions["expand"] else { return form.step == Rotation.self }
        return !expand.extremes.contains(true)
    }

    private func checkRanges() throws(StepError) {
        for parameter in form.parameters {
            guard let range = parameter.range else { continue }
            guard let distribution = values.distributions[parameter.name] else {
                throw .missingParameter(
                    step: form.step.name, path: parameter.name, expected: "a number \(range.words)")
            }
            guard !parameter.isWhole || distribution.isWhole else {
                throw .wrongType(
                    step: form.step.name, path: parameter.name, expected: "integers",
                    found: "values that may be fractions")
            }
            for value in distribution.extremes {
                guard let number = value.double else {
                    throw .wrongType(
                        step: form.step.name, path: parameter.name, expected: "a number", found: value.kind)
                }
                guard range.contains(number) else {
                    throw .outOfRange(
                        step: form.step.name, path: parameter.name, expected: range.words, found: "\(number)")
                }
            }
        }
    }

    /// Draws with each value at each of its ends, so that a recipe that the step would refuse is refused early. Faults
    /// that occur only in some combinations are found when they are drawn.
    private func checkEnds() throws(StepError) {
        let size = PixelSize(width: 1 << 16, height: 1 << 16)
        let context = DrawContext(
            size: size, always: false, strength: 1, seconds: [SecondPicture(id: "0", size: size)])
        let most = values.distributions.values.map { $0.extremes.count }.max() ?? 1
        for end in 0..<most {
            var fixed = values.distributions.mapValues { distribution in
                let extremes = distribution.extremes
                return ValueDistribution.fixed(extremes[min(end, extremes.count - 1)])
            }
            // One patch shows as much as thousands. `checkRanges` has checked their number.
            if form.step == Occlusion.self, fixed["count"] != nil { fixed["count"] = .fixed(1) }
            // The result of a placing form depends on the picture's size.
            var stream = RandomStream(start: 0)
            _ = try form.draw(StepForm.Values(distributions: fixed), &stream, context)
        }
    }

    func isPossible(_ size: PixelSize) -> Bool { form.isPossible(values, size) }

    func draw(_ stream: inout RandomStream, _ context: DrawContext) throws(StepError) -> any PerturbationStep
    {
        var attempt = 1
        while true {
            let before = stream
            let step = try form.draw(values, &stream, context)
            try context.watch.goOn(WorkWatch.band)
            guard context.always, attempt < Self.mostAttempts, step.leavesUnchanged(context.size) else {
                return step
            }
            // A step that takes no word is the same in every attempt.
            if stream == before { return step }
            attempt += 1
        }
    }

    /// The approximate bytes of a drawn step, with its text in a reply.
    var stepBytes: Int {
        let patches = values.distributions["count"]?.extremes.compactMap(\.double).max() ?? 1
        // Every draw holds its own copy of a list, and its text.
        let lists = values.distributions.values.reduce(0) { sum, distribution in
            sum
                + (distribution.extremes.map { 2 * $0.text.utf8.count + 80 * ($0.array?.count ?? 0) }.max()
                    ?? 0)
        }
        return 1024 + 80 * Int(patches) + lists
    }

    var json: [JSONValue.Member] {
        [.init("step", .string(form.step.name))] + given.map { .init($0.name, $0.value.json) }
    }
}
