import JSON
import Perturbation

/// The `schedule` of a view.
private struct ScheduleOptions {
    enum Decay: String, Sendable, CaseIterable {
        case sigmoid, linear, power, exp
    }

    var decay = Decay.sigmoid
    var step = 0
    var totalSteps = 1
    var coefficient = 0.0
    var middle = 0.0

    static let table = OptionTable<ScheduleOptions>(options: [
        .choice("decay", \.decay), .integer("step", \.step, 0...1_000_000_000),
        .integer("total_steps", \.totalSteps, 1...1_000_000_000), .number("coefficient", \.coefficient),
        .number("mid_step", \.middle),
    ])

    /// The members of each decay. All are required, so that nobody trains with a default by accident.
    var needed: [String] {
        ["decay", "step", "total_steps"]
            + (decay == .linear ? [] : ["coefficient"]) + (decay == .sigmoid ? ["mid_step"] : [])
    }

    var schedule: StrengthSchedule? {
        let known: StrengthSchedule.Decay =
            switch decay {
            case .sigmoid: .sigmoid(coefficient: coefficient, middle: middle)
            case .linear: .linear
            case .power: .power(coefficient: coefficient)
            case .exp: .exponential(base: coefficient)
            }
        return StrengthSchedule(known, step: step, totalSteps: totalSteps)
    }
}

extension PerturbRequest {
    /// The strength of scheduled values according to the schedule; 1 without one.
    static func strength(
        _ json: JSONValue?, of recipe: Recipe, field: String, _ faults: inout Faults
    ) -> Double? {
        guard let json else { return 1 }
        guard recipe.isScheduled else {
            faults.add(
                .conflictingFields, Problem.Reason("nothing in this recipe follows a schedule", field: field))
            return nil
        }
        guard let members = json.members else {
            faults.add(.invalidType, Problem.Reason("wrong type", field: field, expected: "an object"))
            return nil
        }
        var options = ScheduleOptions()
        let table = ScheduleOptions.table
        let known = members.filter { table.names.contains($0.name) }
        table.apply(known, prefix: "\(field).", to: &options, &faults)
        let names = members.map(\.name)
        for name in names where !table.names.contains(name) {
            faults.add(.unknownField, .unknown("field", name, known: table.names, field: "\(field).\(name)"))
        }
        let needed = options.needed
        for name in needed where !names.contains(name) {
            faults.add(.missingField, Problem.Reason("missing", field: "\(field).\(name)"))
        }
        for name in names where table.names.contains(name) && !needed.contains(name) {
            faults.add(
                .conflictingFields,
                Problem.Reason("\(options.decay.rawValue) has no such number", field: "\(field).\(name)"))
        }
        guard let schedule = options.schedule else {
            let isLate = options.step > options.totalSteps
            faults.add(
                .invalidOption,
                Problem.Reason(
                    "invalid value", field: "\(field).\(isLate ? "step" : "coefficient")",
                    expected: isLate
                        ? "at most total_steps" : "above 0 for power, from 0 to 1 for exp"))
            return nil
        }
        return schedule.strength
    }
}
