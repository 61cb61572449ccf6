import Perception

extension TokenTensors {
    /// Refuses a tensor that is given but has no effect.
    mutating func refuse(_ spec: TensorSpec, _ reason: String) {
        faults.add(.conflictingFields, Problem.Reason("it has no effect: \(reason)", field: spec.name))
    }

    /// Checks that the perception mask is given if the detector reads it, and only then.
    mutating func checkPerceptionMask(_ detector: PerceptionDetector.Method) {
        switch (detector, has(.perceptionMask)) {
        case (.given, false) where !isEmpty:
            addMissing(.perceptionMask, "the detector given reads it from the request")
        case (.given, _), (_, false): break
        case (_, true): refuse(.perceptionMask, "the detector is \(detector.rawValue), not given")
        }
    }
}
