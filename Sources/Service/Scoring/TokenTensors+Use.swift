import Perception

extension TokenTensors {
    /// A tensor that is given and acts on nothing.
    mutating func refuse(_ spec: TensorSpec, _ reason: String) {
        faults.add(.conflictingFields, Problem.Reason("it has no effect: \(reason)", field: spec.name))
    }

    /// The perception mask is an input of one detector, and of no other.
    mutating func checkPerceptionMask(_ detector: PerceptionDetector.Method) {
        switch (detector, has(.perceptionMask)) {
        case (.given, false) where !isEmpty:
            addMissing(.perceptionMask, "the detector given reads it from the request")
        case (.given, _), (_, false): break
        case (_, true): refuse(.perceptionMask, "the detector is \(detector.rawValue), not given")
        }
    }
}
