import Images
import Perturbation
import WorkQuestions

/// One kind of work on one picture: how long it takes beside what its demand says, and how soon it ends once nobody wants it.
struct Measurement {
    let what: String
    let picture: PixelSize
    let time: Duration
    /// What the demand's operations make of it.
    let predicted: Duration
    /// Between two questions whether it is still wanted.
    let longestSilence: Duration
    /// From when its client left, in the middle, to its end.
    let leaving: Duration

    /// - Parameter work: the work; it throws when nobody wants it any more.
    init(
        _ what: String, _ picture: PixelSize, operations: Int, _ work: (WorkWatch) throws -> Void
    ) throws {
        let questions = Questions()
        try work(WorkWatch { questions.ask() })
        (time, longestSilence) = questions.spans()
        let left = Questions(wanted: time / 2)
        do {
            try work(WorkWatch { left.ask() })
            // It was over before it could ask.
        } catch  where error as? ImageError == .unwanted || error as? StepError == .unwanted {
            // As it should be.
        }
        leaving = left.late
        self.what = what
        self.picture = picture
        predicted = .nanoseconds(operations / 4)
    }

    /// Above 1: it takes less than its demand says.
    var ratio: Double { predicted / max(time, .microseconds(1)) }

    static let heading = """
        | what | picture | ms | predicted/measured | longest without a question, ms | ends after its client, ms |
        |---|---|---|---|---|---|
        """

    var row: String {
        func milliseconds(_ duration: Duration) -> String { rounded(duration / .milliseconds(1), 1) }
        return "| \(what) | \(picture) | \(milliseconds(time)) | \(rounded(ratio, 2)) "
            + "| \(milliseconds(longestSilence)) | \(milliseconds(leaving)) |"
    }

    private func rounded(_ number: Double, _ digits: Int) -> String {
        let scale = digits == 1 ? 10.0 : 100.0
        return "\((number * scale).rounded() / scale)"
    }
}
