package import JSON

/// A step without parameters.
package protocol ParameterlessStep: PerturbationStep, Equatable {
    init()
}

extension ParameterlessStep {
    package static var parameters: [StepParameter] { [] }
    package static var identity: String? { nil }

    package init(parameters: JSONValue) throws(StepError) {
        _ = try ParameterReader(parameters, for: Self.self)
        self.init()
    }

    package var json: JSONValue { ["step": .string(Self.name)] }
}
