import Text

internal import JSON

extension ValueDistribution {
    private static let words = ["uniform", "integers", "choice", "permutation", "value"]

    /// Reads a value of a recipe. `path` is the path of the parameter, for errors.
    init(_ json: JSONValue, step: String, path: String) throws(StepError) {
        if let elements = json.array {
            var values: [ValueDistribution] = []
            for (index, element) in elements.enumerated() {
                values.append(try ValueDistribution(element, step: step, path: "\(path)[\(index)]"))
            }
            let areFixed = values.allSatisfy { if case .fixed = $0 { true } else { false } }
            self = areFixed ? .fixed(json) : .list(values)
            return
        }
        guard let members = json.members else {
            self = .fixed(json)
            return
        }
        var isScheduled = false
        var value: ValueDistribution?
        for member in members {
            let inner = "\(path).\(member.name)"
            if member.name == "scheduled" {
                guard let flag = member.value.bool else {
                    throw .wrongType(
                        step: step, path: inner, expected: "true or false", found: member.value.kind)
                }
                isScheduled = flag
            } else if Self.words.contains(member.name) {
                guard value == nil else {
                    throw .inconsistent(step: step, path: path, detail: "a value has one distribution")
                }
                value = try Self.read(member, step: step, path: inner)
            } else {
                throw .unknownParameter(
                    step: step, path: inner, nearest: nearestName(to: member.name, among: Self.words))
            }
        }
        guard let value else {
            throw .inconsistent(
                step: step, path: path,
                detail: "a drawn value is {\"uniform\": [low, high]}, {\"integers\": [low, high]}, "
                    + "{\"choice\": […]}, {\"permutation\": […]} or {\"value\": …}")
        }
        guard isScheduled else {
            self = value
            return
        }
        switch value {
        case .uniform, .integers, .fixed(.integer), .fixed(.number): self = .scheduled(value)
        default:
            throw .inconsistent(step: step, path: path, detail: "only a number can be scheduled")
        }
    }

    private static func read(_ member: JSONValue.Member, step: String, path: String) throws(StepError)
        -> ValueDistribution
    {
        if member.name == "value" {
            guard member.value.array == nil, member.value.members == nil else {
                throw .wrongType(step: step, path: path, expected: "one value", found: member.value.kind)
            }
            return .fixed(member.value)
        }
        guard let values = member.value.array else {
            throw .wrongType(step: step, path: path, expected: "a list", found: member.value.kind)
        }
        switch member.name {
        case "uniform": return .uniform(try bounds(values, scale: 10_000, step, path))
        case "integers": return .integers(try bounds(values, scale: 1, step, path))
        case "choice":
            guard (1...1000).contains(values.count) else {
                throw .outOfRange(
                    step: step, path: path, expected: "1 to 1000 values", found: "\(values.count)")
            }
            return .choice(values)
        default:
            guard (1...12).contains(values.count) else {
                throw .outOfRange(
                    step: step, path: path, expected: "1 to 12 values", found: "\(values.count)")
            }
            return .permutation(values)
        }
    }

    /// Reads two ascending numbers that are integers after multiplication by `scale`.
    private static func bounds(
        _ values: [JSONValue], scale: Double, _ step: String, _ path: String
    ) throws(StepError) -> ClosedRange<Int> {
        let expected = scale == 1 ? "an integer" : "a number of at most four decimals"
        let most = scale == 1 ? 0x1p53 : 1e9
        guard values.count == 2 else {
            throw .outOfRange(
                step: step, path: path, expected: "[low, high]", found: "\(values.count) elements")
        }
        var bounds: [Int] = []
        for (index, value) in values.enumerated() {
            guard let number = value.double, number.magnitude <= most else {
                throw .wrongType(step: step, path: "\(path)[\(index)]", expected: expected, found: value.kind)
            }
            let whole = (number * scale).rounded()
            guard whole / scale == number else {
                throw .outOfRange(
                    step: step, path: "\(path)[\(index)]", expected: expected, found: "\(number)")
            }
            bounds.append(Int(whole))
        }
        guard bounds[0] <= bounds[1] else {
            throw .inconsistent(step: step, path: path, detail: "the lower bound comes first")
        }
        return bounds[0]...bounds[1]
    }
}
