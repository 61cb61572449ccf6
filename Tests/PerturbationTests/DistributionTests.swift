import Images
import JSON
import Perturbation
import Testing

@Suite("Draws are distributed as the references' are")
struct DistributionTests {
    /// The steps of a recipe for seeds 0 ..< count on one size; nil where the picture stays.
    private static func drawn(
        _ name: String, _ count: Int64, width: Int = 448, height: Int = 448, always: Bool = false
    ) throws -> [JSONValue?] {
        let recipe = try #require(RecipeCatalogue.recipe(named: name))
        return try (0..<count).map { seed in
            try recipe.draw(
                seed: try #require(Seed(seed)), key: ImageKey(id: "picture"), width: width, height: height,
                always: always
            ).first?.json
        }
    }

    private static func steps(_ name: String, of recipe: String, _ count: Int64) throws -> [JSONValue] {
        try drawn(recipe, count).compactMap { $0 }.filter { $0["step"]?.string == name }
    }

    private static func noise(seed: JSONValue, strength: Double) throws -> JSONValue? {
        let step: JSONValue = [
            "step": "gaussian_noise", "sigma": 1, "noise_seed": ["value": seed, "scheduled": true],
        ]
        return try Recipe(json: ["name": "x", "steps": [step]]).draw(
            seed: try #require(Seed(1)), key: ImageKey(id: "picture"), width: 8, height: 8, strength: strength
        ).first?.json["noise_seed"]
    }

    @Test(
        "A schedule at full strength changes no digit of a seed",
        arguments: [.max, 9_007_199_254_740_993, 0] as [Int64])
    func scheduledSeeds(_ seed: Int64) throws {
        #expect(try Self.noise(seed: .integer(seed), strength: 1) == .integer(seed))
        let weaker = try Self.noise(seed: .integer(seed), strength: 1.nextDown)?.integer
        #expect(try #require(weaker) <= seed)
    }

    @Test("Drawing ends when nobody wants it")
    func leaving() throws {
        // A blur that changes nothing would be drawn a thousand times for each element, for minutes.
        let blur: JSONValue = [
            "step": "gaussian_blur", "kernel_size": 99, "sigma": ["uniform": [0.01, 0.011]],
            "padding": "reflect",
        ]
        let recipe = try Recipe(json: ["name": "x", "steps": .array(Array(repeating: blur, count: 40))])
        let seed = try #require(Seed(1))
        #expect(throws: StepError.unwanted) {
            try recipe.draw(
                seed: seed, key: ImageKey(id: "picture"), width: 128, height: 128, always: true,
                watch: WorkWatch { false })
        }
    }

    @Test(
        "Numbers of patches and seeds are integers",
        arguments: [
            ("count", 2.5), ("count", ["uniform": [1, 3]]), ("count", ["choice": [1, 1.5]]),
            ("noise_seed", 1.5),
            ("noise_seed", ["value": 2.0, "scheduled": true]),
        ] as [(String, JSONValue)])
    func whole(_ name: String, _ value: JSONValue) {
        #expect(throws: RecipeError.self) {
            try Recipe(json: [
                "name": "x", "steps": [.object([.init("step", "occlusion"), .init(name, value)])],
            ])
        }
    }

    @Test("The largest seed is one", arguments: ["occlusion", "gaussian_noise"])
    func largestSeed(_ step: String) throws {
        let members: [JSONValue.Member] = [.init("step", .string(step)), .init("noise_seed", .integer(.max))]
        let further: [JSONValue.Member] = step == "occlusion" ? [] : [.init("sigma", 1)]
        let drawn = try Recipe(json: ["name": "x", "steps": [.object(members + further)]]).draw(
            seed: try #require(Seed(1)), key: ImageKey(id: "picture"), width: 8, height: 8)
        #expect(drawn.first?.json["noise_seed"] == .integer(.max))
    }

    @Test(
        "The steps of a choice come equally often",
        arguments: [
            ("cppo-preserving", ["color_jitter", "perspective", "rotation"]),
            ("cppo-preserving-areal", ["color_jitter", "perspective", "rotation", "gaussian_blur"]),
            ("cppo-removing", ["occlusion", "zoom_crop"]),
        ])
    func choices(_ recipe: String, _ names: [String]) throws {
        let steps = try Self.drawn(recipe, 3000, always: true)
        let counts = names.map { name in steps.count { $0?["step"]?.string == name } }
        #expect(counts.reduce(0, +) == 3000)
        #expect(Fit.uniformity(of: counts) < 1)
    }

    @Test(
        "Brightness, contrast, saturation and angle are uniform in their ranges",
        arguments: [
            ("color_jitter", "brightness", 0.2, 1.3), ("color_jitter", "contrast", 0.2, 1.8),
            ("color_jitter", "saturation", 0.2, 1.8), ("rotation", "degrees", -10, 10),
        ])
    func ranges(_ step: String, _ parameter: String, _ low: Double, _ high: Double) throws {
        let values = try Self.steps(step, of: "cppo-preserving", 6000).compactMap { $0[parameter]?.double }
        #expect(values.count > 1800)
        #expect(values.allSatisfy { (low...high).contains($0) })
        #expect(Fit.distance(of: values) { ($0 - low) / (high - low) } < 1)
    }

    @Test("The six orders of a jitter come equally often")
    func orders() throws {
        let orders = try Self.steps("color_jitter", of: "cppo-preserving", 6000).compactMap {
            $0["order"]?.text
        }
        let counts = Dictionary(grouping: orders) { $0 }.mapValues(\.count)
        #expect(counts.count == 6)
        #expect(Fit.uniformity(of: Array(counts.values)) < 1)
    }

    @Test("Perspective is skipped half of the time, and its corners move evenly")
    func perspective() throws {
        let all = try Self.drawn("cppo-preserving", 6000, always: true)
        let applied = try Self.drawn("cppo-preserving", 6000)
        let perspectives = all.indices.filter { all[$0]?["step"]?.string == "perspective" }
        let skipped = perspectives.count { applied[$0] == nil }
        #expect(Fit.uniformity(of: [skipped, perspectives.count - skipped]) < 1)
        var counts = [Int](repeating: 0, count: 45)
        for place in perspectives {
            for (corner, point) in (all[place]?["endpoints"]?.array ?? []).enumerated() {
                let x = Int(point.array?.first?.integer ?? -1)
                counts[corner == 0 || corner == 3 ? x : 447 - x] += 1
            }
        }
        #expect(counts.reduce(0, +) == 4 * perspectives.count)
        #expect(Fit.uniformity(of: counts) < 1)
    }

    @Test("Fifty patches cover 37.8 % of 448 × 448 pixels, give or take 2.3")
    func coverage() throws {
        let shares = try Self.steps("occlusion", of: "cppo-removing", 400).map { step -> Double in
            var covered = [Bool](repeating: false, count: 448 * 448)
            for patch in step["patches"]?.array ?? [] {
                let numbers = (patch.array ?? []).compactMap(\.integer).map(Int.init)
                for row in numbers[1]..<(numbers[1] + numbers[3]) {
                    for place in (row * 448 + numbers[0])..<(row * 448 + numbers[0] + numbers[2]) {
                        covered[place] = true
                    }
                }
            }
            return Double(covered.count { $0 }) / (448 * 448)
        }
        #expect(shares.count > 150)
        #expect(Fit.shift(of: shares.mean, from: 0.378, deviation: 0.023, count: shares.count) < 1)
        #expect((0.019...0.028).contains(shares.deviation))
    }

    @Test("A crop keeps 42.3 % of the picture on average, anywhere in it")
    func crops() throws {
        let crops = try Self.steps("zoom_crop", of: "cppo-removing", 4000)
        func values(_ name: String) -> [Double] { crops.compactMap { $0[name]?.double } }
        let areas = zip(values("width"), values("height")).map { $0 * $1 / (448 * 448) }
        #expect(areas.count > 1800)
        // Whole pixels take half a pixel off each side on average: 0.4233 less 0.0015.
        #expect(Fit.shift(of: areas.mean, from: 0.4219, deviation: 0.0375, count: areas.count) < 1)
        for (place, side) in [("left", "width"), ("top", "height")] {
            // Within its range, a place is at a uniform share of it; half a pixel evens out that it is whole.
            let shares = zip(values(place), values(side)).map { ($0 + 0.5) / (448 - $1 + 1) }
            #expect(Fit.distance(of: shares) { $0 } < 1)
        }
    }

    @Test(
        "Cells are black with the recipe's probability",
        arguments: [("papo-removing", 0.6), ("vppo-removing", 0.5)])
    func cells(_ recipe: String, _ probability: Double) throws {
        let white = PixelImage(width: 64, height: 64, samples: [UInt8](repeating: 255, count: 64 * 64 * 3))
        var black = 0
        for step in try Self.drawn(recipe, 100, width: 64, height: 64) {
            let made = try StepCatalogue.step(from: try #require(step)).apply(to: white).samples
            // One pixel of each of the 5 × 5 cells.
            for row in 0..<5 {
                for column in 0..<5 where made[(row * 64 + column) * 14 * 3] == 0 { black += 1 }
            }
        }
        let deviation = (probability * (1 - probability)).squareRoot()
        #expect(Fit.shift(of: Double(black) / 2500, from: probability, deviation: deviation, count: 2500) < 1)
    }

    @Test("Shuffles put every cell everywhere equally often")
    func shuffles() throws {
        let samples = (0..<9 as Range<UInt8>).flatMap { [$0, $0, $0] }
        let image = PixelImage(width: 3, height: 3, samples: samples)
        var counts = [Int](repeating: 0, count: 81)
        for seed in 0..<1500 as Range<Int64> {
            let step = try StepCatalogue.step(
                from: ["step": "patch_shuffle", "patch": 1, "shuffle_seed": .integer(seed)])
            let made = try step.apply(to: image).samples
            for place in 0..<9 { counts[place * 9 + Int(made[place * 3])] += 1 }
        }
        #expect(Fit.uniformity(of: counts) < 1)
    }
}
