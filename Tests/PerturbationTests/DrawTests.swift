import Images
import JSON
import Perturbation
import TestMaterial
import Testing

@Suite("Draws")
struct DrawTests {
    struct Golden: Sendable, CustomTestStringConvertible {
        let recipe: String
        let seed: Int64
        let key: String
        let variant, width, height: Int
        let always: Bool
        let steps: JSONValue

        var testDescription: String {
            "\(recipe) seed \(seed) key \(key) variant \(variant) \(width) × \(height)"
        }

        static let all: [Golden] = GoldenFolder.lines(of: "perturbations/draws.txt").compactMap { line in
            guard let json = try? JSONValue(parsing: line), let recipe = json["recipe"]?.string,
                let seed = json["seed"]?.integer, let key = json["key"]?.string,
                let variant = json["variant"]?.integer, let width = json["width"]?.integer,
                let height = json["height"]?.integer, let always = json["always"]?.bool,
                let steps = json["steps"]
            else { return nil }
            return Golden(
                recipe: recipe, seed: seed, key: key, variant: Int(variant), width: Int(width),
                height: Int(height),
                always: always, steps: steps)
        }
    }

    static func seed(_ value: Int64) throws -> Seed { try #require(Seed(value)) }

    static func recipe(_ name: String) throws -> Recipe { try #require(RecipeCatalogue.recipe(named: name)) }

    @Test("All golden draws are there")
    func allDraws() { #expect(Golden.all.count == 72) }

    @Test("The documented generator, written anew in Python, draws the same", arguments: Golden.all)
    func documented(_ it: Golden) throws {
        let steps = try Self.recipe(it.recipe).draw(
            seed: Self.seed(it.seed), key: ImageKey(id: it.key), variant: it.variant, width: it.width,
            height: it.height, always: it.always)
        #expect(JSONValue.array(steps.map(\.json)) == it.steps)
    }

    @Test("Drawn steps posted back give the same bytes", arguments: RecipeCatalogue.all.map(\.name))
    func postedBack(_ name: String) throws {
        let photo = try #require(StepCase.photo)
        for seed in 0..<30 as Range<Int64> {
            let steps = try Self.recipe(name).draw(
                seed: Self.seed(seed), key: ImageKey(index: 3), width: photo.width, height: photo.height,
                seconds: [SecondPicture(id: "other", size: photo.size)])
            for step in steps {
                let again = try StepCatalogue.step(from: JSONValue(parsing: step.json.text))
                #expect(again.json == step.json)
                let result = try step.apply(to: photo) { $0 == .id("other") ? photo : nil }
                #expect(try again.apply(to: photo) { _ in photo } == result)
                #expect(!step.keepsSize || result.size == photo.size)
                #expect(try step.keepsSize || Self.recipe(name).purpose == .augmentation)
                let size = try step.outputSize(for: photo.size) { _ in photo.size }
                #expect(result.size == size)
            }
        }
    }

    @Test("Seed, key, variant and recipe each change the draw; a picture without id goes by its index")
    func keyed() throws {
        func draw(
            _ recipe: String = "cppo-removing", seed: Int64 = 5, key: ImageKey = ImageKey(index: 1),
            variant: Int = 0
        ) throws -> JSONValue {
            let steps = try Self.recipe(recipe).draw(
                seed: Self.seed(seed), key: key, variant: variant, width: 640, height: 480)
            return .array(steps.map(\.json))
        }
        let base = try draw()
        #expect(try draw(key: ImageKey(id: "1")) == base)
        #expect(try draw(seed: 6) != base)
        #expect(try draw(key: ImageKey(index: 2)) != base)
        #expect(try draw(variant: 1) != base)
        #expect(try draw("cppo-preserving") != draw("cppo-preserving-areal"))
    }

    @Test(
        "Every draw fits its picture, however small or long, and can be posted back",
        arguments: RecipeCatalogue.all.map(\.name))
    func fits(_ name: String) throws {
        let sizes = [
            (1, 1), (1, 2), (2, 1), (3, 5), (9, 9), (10, 10), (11, 1), (1, 4000), (97, 73), (2_000_000, 11),
        ]
        for (index, size) in sizes.enumerated() {
            for seed in 0..<40 as Range<Int64> {
                let image = PixelSize(width: size.0, height: size.1)
                let (recipe, drawSeed) = (try Self.recipe(name), try Self.seed(seed))
                let steps: [any PerturbationStep]
                do throws(StepError) {
                    steps = try recipe.draw(
                        seed: drawSeed, key: ImageKey(index: index), width: size.0, height: size.1,
                        always: true, seconds: [SecondPicture(id: "o", size: PixelSize(width: 3, height: 2))])
                } catch {
                    // Only a long strip turned with room for its corners is refused.
                    #expect(
                        name == "vision-matters-rotation" && size.0 == 2_000_000 && error.path == "expand")
                    continue
                }
                #expect(steps.count == 1)
                for step in steps {
                    let made = try step.outputSize(for: image) { _ in PixelSize(width: 3, height: 2) }
                    #expect(!step.keepsSize || made == image)
                    #expect(try StepCatalogue.step(from: step.json).json == step.json)
                }
            }
        }
    }

    @Test("A preserving view equals the original once in six draws, and never with always")
    func identity() throws {
        let recipe = try Self.recipe("cppo-preserving")
        var (empty, idle) = (0, 0)
        for seed in 0..<6000 as Range<Int64> {
            let key = ImageKey(id: "a")
            let drawn = try recipe.draw(seed: Self.seed(seed), key: key, width: 640, height: 480)
            let always = try recipe.draw(
                seed: Self.seed(seed), key: key, width: 640, height: 480, always: true)
            #expect(always.count == 1)
            if drawn.isEmpty {
                empty += 1
                #expect(always.first?.name == "perspective")
            } else if drawn.allSatisfy({ $0.leavesUnchanged(PixelSize(width: 640, height: 480)) }) {
                idle += 1
            } else {
                #expect(drawn.first?.json == always.first?.json)
            }
            #expect(always.allSatisfy { !$0.leavesUnchanged(PixelSize(width: 640, height: 480)) })
        }
        #expect((900...1100).contains(empty))
        // A rotation by less than some 0.06 degrees moves no pixel.
        #expect((1...40).contains(idle))
    }

    @Test("Seeds are 0 … 2⁶³ − 1")
    func seeds() {
        #expect(Seed(-1) == nil)
        #expect(Seed(0) != nil)
        #expect(Seed(.max) != nil)
    }

    @Test("A recipe is known by its exact name only")
    func names() {
        #expect(RecipeCatalogue.recipe(named: "cppo-removing")?.name == "cppo-removing")
        #expect(RecipeCatalogue.recipe(named: "cppo-removal") == nil)
    }
}
