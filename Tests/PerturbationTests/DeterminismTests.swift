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
        ] as [(String, UInt64)])
    func pinned(_ name: String, _ expected: UInt64) throws {
        let recipe = try #require(RecipeCatalogue.recipe(named: name))
        let photo = try #require(StepCase.photo)
        var hash: UInt64 = 0
        for seed in 0..<24 as Range<Int64> {
            let steps = try recipe.draw(
                seed: try #require(Seed(seed)), key: ImageKey(id: "picture"), width: photo.width,
                height: photo.height)
            for step in steps { hash = hash &* 31 &+ fingerprint(of: try step.apply(to: photo).samples) }
        }
        #expect(hash == expected)
    }
}
