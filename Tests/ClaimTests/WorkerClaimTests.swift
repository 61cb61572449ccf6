import AllocationCount
import HTTP
import Images
import Testing

@testable import Service

/// Requests whose views are made by several threads at once, each in a process of its own, in which everything is counted.
@Suite("Several workers take what they claim", .enabled(if: allocation_count_is_possible() != 0))
struct WorkerClaimTests {
    @Test("All cores, and more workers than that")
    func png() async {
        await #expect(processExitsWith: .success) { try expectClaims(of: "png") }
    }

    @Test("Bare samples")
    func raw() async {
        await #expect(processExitsWith: .success) { try expectClaims(of: "raw") }
    }

    @Test("JPEG")
    func jpeg() async {
        await #expect(processExitsWith: .success) { try expectClaims(of: "jpeg") }
    }
}

/// Ends the process where a claim is too small, or too large.
private func expectClaims(of format: String) throws {
    let steps = #"[{"step": "patch_shuffle", "patch": 2, "shuffle_seed": 3}]"#
    let members = #""variants": 6, "format": "\#(format)", "views": [{"name": "a", "steps": \#(steps)}]"#
    let pictures = [(504, 400), (400, 504)].map { RequestClaimTests.noisiest($0.0, $0.1, format) }
    let request = try ClaimedRequest.json(members, pictures, others: false)
    for form in ClaimedRequest.forms where form != .multipart && (form == .json || format == "raw") {
        let claimed = ClaimedRequest(request, form: form, workers: WorkerPool.coreCount)
        _ = try claimed.answered()
        let files = request.pictures.reduce(0) { $0 + $1.source.heldBytes }
        allocation_count_begin_everywhere()
        let claim = try claimed.answered().plan.peakBytes
        let taken = allocation_count_end_everywhere().peak + files
        // Threads need not be at their worst at the same time.
        let isRight = taken <= claim && claim <= taken * 13 / 10 + 256 << 10
        print("\(format), \(form): \(claim) bytes were claimed, \(taken) taken")
        guard isRight else { fatalError("a claim is wrong") }
    }
}
