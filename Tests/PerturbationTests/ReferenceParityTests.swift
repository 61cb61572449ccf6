import Images
import JSON
import Perturbation
import Testing

@Suite("Steps equal torchvision and Pillow")
struct ReferenceParityTests {
    @Test("All golden cases are there")
    func allCases() {
        #expect(StepCase.all.count == 1485)
        #expect(Set(StepCase.all.compactMap { $0.step["step"]?.string }).count == StepCatalogue.all.count)
    }

    @Test("Every step gives the reference's samples", arguments: StepCase.all)
    func sameSamples(_ it: StepCase) throws {
        let step = try StepCatalogue.step(from: it.step)
        let result = try step.apply(to: it.input) { _ in it.second }
        #expect(result.size == it.output.size)
        #expect(try step.outputSize(for: it.input.size) { _ in it.second?.size } == it.output.size)
        if step.leavesUnchanged(it.input.size) { #expect(result == it.input) }
        #expect(step.keepsSize == false || result.size == it.input.size)
        guard it.close, result.size == it.output.size else {
            #expect(result == it.output)
            return
        }
        let differences = zip(result.samples, it.output.samples).map { abs(Int($0.0) - Int($0.1)) }.filter {
            $0 > 0
        }
        #expect(differences.allSatisfy { $0 == 1 })
        #expect(differences.count * 1000 <= it.output.samples.count)
    }

    @Test("A step written out and read again is the same step", arguments: StepCase.all)
    func roundTrip(_ it: StepCase) throws {
        let step = try StepCatalogue.step(from: it.step)
        #expect(step.json == it.step)
    }
}
