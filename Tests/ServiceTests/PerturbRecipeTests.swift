import HTTP
import HTTPTypes
import Images
import JSON
import Perturbation
import Service
import Testing

/// Recipes that clients write, second pictures and schedules.
@Suite struct PerturbRecipeTests {
    private let service = TestService()

    /// The views of a request with the pictures `a` (12 × 9), `b` (5 × 7) and `c`, which is only there for others.
    private func views(_ views: String, more: String = "") throws -> [[String: JSONValue]] {
        let reply = try service.post(text: try body(views, more: more), to: "/v1/perturb").json()
        return try #require(reply["images"]?.array).flatMap { image in
            (image["views"]?.array ?? []).map { view in
                var members = ["id": image["id"] ?? .null]
                for member in view.members ?? [] { members[member.name] = member.value }
                return members
            }
        }
    }

    private func body(_ views: String, more: String = "") throws -> String {
        let (a, b) = (base64(try pngFile()), base64(try pngFile(gradientPicture(width: 5, height: 7))))
        let c = base64(try pngFile(gradientPicture(width: 8, height: 3)))
        return #"{"images":[{"id":"a","data":"\#(a)"},{"id":"b","data":"\#(b)"},"#
            + #"{"id":"c","data":"\#(c)","second_only":true}],"views":[\#(views)],"format":"raw"\#(more)}"#
    }

    @Test(arguments: RecipeCatalogue.all.map(\.name))
    func `an entry of the catalogue posted as a recipe draws what its name draws`(recipe: String) throws {
        let entry = try #require(
            try service.get("/v1/recipes").json()["recipes"]?.array?.first { $0["name"]?.string == recipe })
        let known = try #require(RecipeCatalogue.recipe(named: recipe))
        let more = known.readsDrawnSecond ? #","second_images":["b","c",0]"# : ""
        for seed in 0..<5 {
            let named = try views(#"{"name":"v","seed":\#(seed),"recipe":"\#(recipe)"\#(more)}"#)
            let written = try views(#"{"name":"v","seed":\#(seed),"recipe":\#(entry.text)\#(more)}"#)
            #expect(named == written && named.map { $0["id"] } == ["a", "b"])
        }
    }

    @Test func `drawn values stay in their ranges, and parts are applied as often as said`() throws {
        let recipe = #"""
            {"name":"mine","steps":[
              {"step":"posterize","bits":{"integers":[2,4]},"applied":0.25},
              {"one_of":[{"step":"invert"},{"step":"solarize","threshold":{"choice":[7,9]}}]},
              {"step":"affine","shear":[{"uniform":[-2,2]},0],"scale":{"uniform":[0.5,1.5]}}]}
            """#
        let made = try views(#"{"name":"v","recipe":\#(recipe)}"#, more: #","variants":200"#)
        #expect(made.count == 400)
        var posterized = 0
        var seen: Set<Int64> = []
        for view in made {
            var steps = try #require(view["steps"]?.array)
            if steps.first?["step"]?.string == "posterize" {
                posterized += 1
                #expect((2...4).contains(steps.removeFirst()["bits"]?.integer ?? 0))
            }
            try #require(steps.count == 2)
            if let threshold = steps[0]["threshold"]?.integer { seen.insert(threshold) }
            #expect((0.5...1.5).contains(steps[1]["scale"]?.double ?? 0))
            let shear = try #require(steps[1]["shear"]?.array)
            #expect((-2...2).contains(shear[0].double ?? 9) && shear[1].double == 0)
        }
        #expect((70...130).contains(posterized) && seen == [7, 9])
        let always = try views(
            #"{"name":"v","always":true,"recipe":\#(recipe)}"#, more: #","variants":20"#)
        #expect(always.allSatisfy { $0["steps"]?.array?.count == 3 })
    }

    @Test func `a recipe written in the query draws what it draws in JSON`() throws {
        let recipe = #"{"one_of":[{"step":"fill","color":{"choice":[1,2,3]}},{"step":"invert"}]}"#
        let raw = try service.send(
            "POST", "/v1/perturb?seed=4&recipe=\(percentEncoded(recipe))", pngFile(),
            headers: [("Content-Type", "image/png")])
        let picture = base64(try pngFile())
        let asJSON = try service.post(
            text: #"{"images":[{"data":"\#(picture)"}],"views":[{"name":"v","seed":4,"recipe":\#(recipe)}]}"#,
            to: "/v1/perturb"
        ).json()
        let view = asJSON["images"]?.array?.first?["views"]?.array?.first
        #expect(view?["data"]?.string.map(unbase64) == raw.bytes && raw.status == .ok)
        #expect(raw.headers[try #require(HTTPField.Name("Perception-Steps"))] == view?["steps"]?.text)
    }

    @Test func `second pictures are found by id and by index, and only others are drawn`() throws {
        let byID = try views(#"{"name":"v","steps":[{"step":"mixup","image":"c","weight":0.5}]}"#)
        let byIndex = try views(#"{"name":"v","steps":[{"step":"mixup","image":2,"weight":0.5}]}"#)
        #expect(byID.map { $0["data"] } == byIndex.map { $0["data"] })
        #expect(byIndex[0]["steps"]?.array?.first?["image"] == 2)
        let joined = try views(#"{"name":"v","steps":[{"step":"concat","image":"c"}]}"#)
        #expect(joined.map { $0["width"] } == [36, 23] && joined.map { $0["height"] } == [9, 7])
        let drawn = try views(
            #"{"name":"v","recipe":"vision-matters-mixup","second_images":["a","b","c"]}"#,
            more: #","variants":40"#)
        let seconds = Dictionary(grouping: drawn) { $0["id"]?.string ?? "" }
            .mapValues { Set($0.compactMap { $0["steps"]?.array?.first?["image"]?.string }) }
        #expect(seconds == ["a": ["b", "c"], "b": ["a", "c"]])
    }

    @Test func `a multipart request says which of its files are only seconds`() throws {
        let request = Array(
            (#"{"images":[{"id":"a"},{"id":"c","second_only":true}],"#
                + #""views":[{"name":"v","steps":[{"step":"concat","image":"c"}]}]}"#).utf8)
        let form = multipart([
            ("Content-Disposition: form-data; name=request", request), formPart("c", try pngFile()),
            formPart("a", try pngFile()),
        ])
        let reply = try service.send(
            "POST", "/v1/perturb", form, headers: [("Content-Type", "multipart/form-data; boundary=edge")]
        ).json()
        #expect(reply["images"]?.array?.map { $0["id"] } == ["a"])
        #expect(reply["images"]?.array?.first?["views"]?.array?.first?["width"] == 24)
    }

    @Test(arguments: [
        (#""decay":"linear","step":0,"total_steps":60"#, 500),
        (#""decay":"linear","step":45,"total_steps":60"#, 125),
        (#""decay":"linear","step":60,"total_steps":60"#, 0),
        (#""decay":"sigmoid","step":40,"total_steps":60,"coefficient":30,"mid_step":40"#, 250),
        (#""decay":"sigmoid","step":30,"total_steps":60,"coefficient":30,"mid_step":40"#, 496),
        (#""decay":"power","step":30,"total_steps":60,"coefficient":2"#, 375),
        (#""decay":"exp","step":59,"total_steps":60,"coefficient":0.5"#, 250),
    ])
    func `a schedule scales the noise's step as NoisyRollout does`(schedule: String, expected: Int64) throws {
        let made = try views(#"{"name":"v","recipe":"noisyrollout","schedule":{\#(schedule)}}"#)
        #expect(made.allSatisfy { $0["steps"]?.array?.first?["t"]?.integer == expected })
    }

    static let wrong: [(Problem.Kind, String, String)] = [
        (.invalidStep, "views[0].recipe", #""recipe":{}"#),
        (.invalidStep, "views[0].recipe", #""recipe":{"step":"invert","one_of":[]}"#),
        (.invalidStep, "views[0].recipe.one_of", #""recipe":{"one_of":[]}"#),
        (.invalidStep, "views[0].recipe.steps[1]", #""recipe":{"steps":[{"step":"invert"},7]}"#),
        (.invalidStep, "views[0].recipe.name", #""recipe":{"name":"a b","step":"invert"}"#),
        (.invalidStep, "views[0].recipe.view", #""recipe":{"view":"other","step":"invert"}"#),
        (.invalidStep, "views[0].recipe.applied", #""recipe":{"step":"invert","applied":1.5}"#),
        (.invalidStep, "views[0].recipe.step", #""recipe":{"step":"inverse"}"#),
        (.invalidStep, "views[0].recipe.steps[0].degrees", #""recipe":{"steps":[{"step":"rotation"}]}"#),
        (
            .invalidStep, "views[0].recipe.one_of[0].degrees",
            #""recipe":{"one_of":[{"step":"rotation","degrees":{"uniform":[-400,10]}}]}"#
        ),
        (.invalidStep, "views[0].recipe.degree", #""recipe":{"step":"rotation","degree":1}"#),
        (
            .invalidStep, "views[0].recipe.degrees.unifrom",
            #""recipe":{"step":"rotation","degrees":{"unifrom":[1,2]}}"#
        ),
        (
            .invalidStep, "views[0].recipe.degrees.uniform",
            #""recipe":{"step":"rotation","degrees":{"uniform":[2,1]}}"#
        ),
        (
            .invalidStep, "views[0].recipe.degrees.uniform[1]",
            #""recipe":{"step":"rotation","degrees":{"uniform":[0,0.00001]}}"#
        ),
        (
            .invalidStep, "views[0].recipe.scale",
            #""recipe":{"step":"zoom_crop","scale":{"uniform":[0.5,2]}}"#
        ),
        (.invalidStep, "views[0].recipe.side_ratio", #""recipe":{"step":"crop_fill"}"#),
        (
            .invalidStep, "views[0].recipe.bits",
            #""recipe":{"step":"posterize","bits":{"value":4,"scheduled":true}}"#
        ),
        (.invalidStep, "views[0].recipe.view", #""recipe":{"step":"rotation","degrees":1,"expand":true}"#),
        (.invalidStep, "views[0].recipe.view", #""recipe":{"step":"concat"},"second_images":["c"]"#),
        (.missingField, "views[0].second_images", #""recipe":"vision-matters-mixup""#),
        (.conflictingFields, "views[0].second_images", #""recipe":"papo-removing","second_images":["c"]"#),
        (
            .invalidValue, "views[0].second_images[1]",
            #""recipe":"vision-matters-mixup","second_images":["c","d"]"#
        ),
        (
            .invalidType, "views[0].second_images[0]",
            #""recipe":"vision-matters-mixup","second_images":[null]"#
        ),
        (.invalidStep, "views[0].steps[1].image", #""steps":[{"step":"invert"},{"step":"mixup","image":3}]"#),
        (.invalidStep, "views[0].steps[0].image", #""steps":[{"step":"concat","image":"d"}]"#),
        (.conflictingFields, "views[0].schedule", #""steps":[],"schedule":{}"#),
        (
            .conflictingFields, "views[0].schedule",
            #""recipe":"papo-removing","schedule":{"decay":"linear","step":0,"total_steps":1}"#
        ),
        (
            .missingField, "views[0].schedule.coefficient",
            #""recipe":"noisyrollout","schedule":{"decay":"power","step":0,"total_steps":1}"#
        ),
        (
            .conflictingFields, "views[0].schedule.mid_step",
            #""recipe":"noisyrollout","schedule":{"decay":"linear","step":0,"total_steps":1,"mid_step":1}"#
        ),
        (
            .invalidOption, "views[0].schedule.step",
            #""recipe":"noisyrollout","schedule":{"decay":"linear","step":2,"total_steps":1}"#
        ),
        (
            .invalidOption, "views[0].schedule.coefficient",
            #""recipe":"noisyrollout","schedule":{"decay":"exp","step":0,"total_steps":1,"coefficient":2}"#
        ),
        (
            .unknownField, "views[0].schedule.stpe",
            #""recipe":"noisyrollout","schedule":{"decay":"linear","stpe":0,"step":0,"total_steps":1}"#
        ),
    ]

    @Test(arguments: wrong) func `what is wrong with a recipe is told with its path`(
        kind: Problem.Kind, field: String, view: String
    ) throws {
        try service.post(text: try body(#"{"name":"v",\#(view)}"#), to: "/v1/perturb").expectProblem(
            kind, field: field)
    }

    @Test func `a picture without another one to be mixed with is refused`() throws {
        let alone = #"{"name":"v","recipe":"vision-matters-mixup","second_images":["a"]}"#
        let error = try service.post(text: try body(alone), to: "/v1/perturb").expectProblem(
            .invalidStep, field: "views[0].recipe.image")
        #expect(error["index"] == [0])
    }

    @Test func `deep and long recipes are refused before they cost anything`() throws {
        var deep = #"{"step":"invert"}"#
        for _ in 0..<6 { deep = #"{"steps":[\#(deep)]}"# }
        let parts = Array(repeating: #"{"step":"invert"}"#, count: 65).joined(separator: ",")
        for recipe in [deep, #"{"one_of":[\#(parts)]}"#] {
            try service.post(text: try body(#"{"name":"v","recipe":\#(recipe)}"#), to: "/v1/perturb")
                .expectProblem(.invalidStep)
        }
    }
}
