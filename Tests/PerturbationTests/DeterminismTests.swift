import Images
import JSON
import Perturbation
import Testing

@Suite("The contract of seeds")
struct DeterminismTests {
    /// Twenty-four drawn views of the golden photograph, for ever the same on every machine. A change of these numbers
    /// breaks every training run that is to be repeated.
    @Test(
        "The views of a seed never change",
        arguments: [
            ("cppo-preserving", 17_360_277_987_686_714_306),
            ("cppo-preserving-areal", 5_928_068_332_945_321_082),
            ("cppo-removing", 3_730_596_106_241_194_908),
            ("papo-removing", 1_218_199_878_213_604_582), ("vppo-removing", 6_608_284_981_173_124_576),
            ("noisyrollout", 2_423_680_774_435_828_782), ("noisyrollout-450", 13_891_589_394_422_992_229),
            ("vision-matters-rotation", 8_767_427_576_975_143_968),
            ("vision-matters-mixup", 95_743_099_386_617_675),
            ("vision-matters-concat", 7_089_311_700_552_250_240),
        ] as [(String, UInt64)])
    func pinned(_ name: String, _ expected: UInt64) throws {
        let recipe = try #require(RecipeCatalogue.recipe(named: name))
        let photo = try #require(StepCase.photo)
        let other = try #require(
            StepCase.all.first { $0.input.size == PixelSize(width: 13, height: 17) }?.input)
        var hash: UInt64 = 0
        for seed in 0..<24 as Range<Int64> {
            let steps = try recipe.draw(
                seed: try #require(Seed(seed)), key: ImageKey(id: "picture"), width: photo.width,
                height: photo.height, seconds: [SecondPicture(id: "other", size: other.size)])
            for step in steps {
                let view = try step.apply(to: photo) { $0 == .id("other") ? other : nil }
                hash = hash &* 31 &+ fingerprint(of: view.samples)
            }
        }
        #expect(hash == expected)
    }

    @Test("Every recipe of the catalogue is pinned, and every step by the golden files")
    func complete() {
        #expect(RecipeCatalogue.all.count == 10)
        let steps = Set(StepCase.all.compactMap { $0.step["step"]?.string })
        #expect(steps == Set(StepCatalogue.all.map { $0.name }))
    }

    @Test("A scheduled draw takes the same words whatever the strength")
    func scheduled() throws {
        let recipe = try #require(RecipeCatalogue.recipe(named: "noisyrollout"))
        let seed = try #require(Seed(9))
        func draw(_ strength: Double) throws -> JSONValue? {
            try recipe.draw(
                seed: seed, key: ImageKey(index: 0), width: 9, height: 9, strength: strength
            ).first?.json
        }
        #expect(try draw(1)?["t"] == 500 && draw(0.5)?["t"] == 250 && draw(0)?["t"] == 0)
        #expect(try draw(1)?["noise_seed"] == draw(0.25)?["noise_seed"])
    }
}
