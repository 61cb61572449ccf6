import HTTP
import HTTPTypes
import Images
import JSON
import Perturbation
import Service
import Testing

/// Contact sheets: what is on them, and how each mistake is answered.
@Suite struct PreviewTests {
    private let service = TestService()

    private func path(_ recipe: String, _ query: String = "") -> String {
        "/v1/recipes/\(recipe)/preview\(query)"
    }

    private func post(
        _ recipe: String, _ query: String = "", _ body: [UInt8], type: String = "image/png"
    ) throws -> Response {
        try service.send("POST", path(recipe, query), body, headers: [("Content-Type", type)])
    }

    private func form(_ recipe: String, _ parts: [(header: String, content: [UInt8])]) throws -> Response {
        try post(recipe, "", multipart(parts), type: "multipart/form-data; boundary=edge")
    }

    private static func request(_ json: String) -> (header: String, content: [UInt8]) {
        ("Content-Disposition: form-data; name=request", Array(json.utf8))
    }

    /// The sheet and its cells, as its header tells where they are.
    private func cells(
        _ response: Response, _ count: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> (sheet: PixelImage, cells: [PixelImage]) {
        try #require(response.status == .ok, "\(response.text.prefix(400))", sourceLocation: sourceLocation)
        #expect(response.headers[.contentType] == "image/png")
        let sheet = try PixelImage(decoding: response.bytes.span)
        let size = try #require(HTTPField.Name("Perception-Size"))
        #expect(response.headers[size] == "\(sheet.width)x\(sheet.height)")
        let places = try #require(HTTPField.Name("Perception-Cells"))
        let header = try #require(response.headers[places])
        let numbers = header.split { !$0.isNumber }.compactMap { Int($0) }
        let (columns, width, height, left, right) = (
            numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]
        )
        let tops = numbers.dropFirst(5)
        #expect(tops.count == (count + columns - 1) / columns)
        return (
            sheet,
            try (0..<count).map { place in
                try sheet.rearranged(to: PixelSize(width: width, height: height)) { x, y in
                    (left + place % columns * right + x, tops[5 + place / columns] + y)
                }
            }
        )
    }

    @Test(arguments: RecipeCatalogue.all.map(\.name))
    func `every recipe has a sheet of the built-in picture, the same each time`(recipe: String) throws {
        let target = path(recipe, "?draws=2&seed=4&columns=2")
        let response = try service.get(target)
        let readsSecond = ["vision-matters-mixup", "vision-matters-concat"].contains(recipe)
        let (_, cells) = try cells(response, readsSecond ? 4 : 3)
        #expect(cells[0].size == PixelSize(width: 336, height: 252))
        #expect(Set(cells.map(\.samples)).count >= 2)
        #expect(try service.get(target).bytes == response.bytes)
        #expect(try service.send("HEAD", target).status == .ok)
    }

    @Test func `draws are the variants that perturb makes of the same picture and seed`() throws {
        let file = try pngFile()
        let picture = try PixelImage(decoding: file.span)
        let sheet = try post("papo-removing", "?seed=9&draws=3&width=64&columns=4", file)
        let (_, cells) = try cells(sheet, 4)
        #expect(try cells[0] == picture.resized(to: cells[0].size))
        let reply = try service.send(
            "POST", "/v1/perturb?recipe=papo-removing&seed=9&variants=3", file,
            headers: [("Content-Type", "image/png"), ("Accept", "multipart/mixed")])
        let views = try parts(of: reply).dropFirst().map { try PixelImage(decoding: $0.content.span) }
        #expect(views.count == 3)
        for (cell, view) in zip(cells.dropFirst(), views) { #expect(try cell == view.resized(to: cell.size)) }
    }

    @Test func `a scheduled recipe shows its decay, or one point of it`() throws {
        let spread = try cells(try service.get(path("noisyrollout", "?draws=4")), 5).cells
        func distance(_ cell: PixelImage) -> Int {
            zip(cell.samples, spread[0].samples).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
        }
        let distances = spread.dropFirst().map(distance)
        #expect(distances == distances.sorted(by: >) && Set(distances).count == 4)
        let schedule = percentEncoded(#"{"decay":"linear","step":2,"total_steps":4}"#)
        let fixed = try cells(
            try service.get(path("noisyrollout", "?draws=4&schedule=\(schedule)")), 5
        ).cells
        // Draw 2 of 4 is where a linear schedule is at step 2 of 4.
        #expect(fixed[3] == spread[3])
        #expect(fixed[1] != spread[1])
    }

    @Test func `a written recipe is shown under its own name, on either picture`() throws {
        let recipe = #"{"name":"mine","view":"removing","step":"fill","color":7}"#
        let query = "?draws=1&recipe=\(percentEncoded(recipe))"
        let built = try cells(try service.get(path("mine", query)), 2).cells
        #expect(built[1].samples.allSatisfy { $0 == 7 })
        let posted = try cells(try post("mine", query, try pngFile()), 2).cells
        #expect(posted[1].samples.allSatisfy { $0 == 7 })
        let multipart = try cells(
            try form("custom", [Self.request(#"{"draws":1,"recipe":{"step":"fill","color":9}}"#)]), 2
        ).cells
        #expect(multipart[1].samples.allSatisfy { $0 == 9 })
    }

    @Test func `a form brings both pictures`() throws {
        let file = try pngFile()
        let response = try form(
            "vision-matters-concat",
            [formPart("second_image", file), formPart("image", file), Self.request(#"{"draws":1}"#)])
        let (_, cells) = try cells(response, 3)
        #expect(cells[0] == cells[1])
    }

    static let wrong: [(Problem.Kind, String, String)] = [
        (.notFound, "path", "papo-remving/preview"), (.notFound, "path", "custom/preview"),
        (.notFound, "path", "x%20y/preview"), (.unknownOption, "draw", "papo-removing/preview?draw=1"),
        (.unknownOption, "steps", "papo-removing/preview?steps=[]"),
        (.unknownOption, "second_images", "vision-matters-mixup/preview?second_images=[1]"),
        (.unknownOption, "alpha", "papo-removing/preview?alpha=drop"),
        (.invalidOption, "draws", "papo-removing/preview?draws=0"),
        (.invalidOption, "draws", "papo-removing/preview?draws=65"),
        (.invalidOption, "width", "papo-removing/preview?width=63"),
        (.invalidOption, "columns", "papo-removing/preview?columns=17"),
        (.invalidOption, "seed", "papo-removing/preview?seed=-1"),
        (.invalidType, "draws", "papo-removing/preview?draws=many"),
        (.invalidType, "always", "papo-removing/preview?always=yes"),
        (.malformedRequest, "draws", "papo-removing/preview?draws=1&draws=2"),
        (.malformedJSON, "schedule", "noisyrollout/preview?schedule={"),
        (.malformedJSON, "recipe", "custom/preview?recipe={"),
        (.missingField, "schedule.step", "noisyrollout/preview?schedule={%22decay%22:%22linear%22}"),
        (.conflictingFields, "schedule", "papo-removing/preview?schedule={}"),
        (.conflictingFields, "recipe.name", "custom/preview?recipe=papo-removing"),
        (.unknownRecipe, "recipe", "custom/preview?recipe=papo"),
        (.invalidStep, "recipe.step", "custom/preview?recipe={%22step%22:%22invrt%22}"),
        (.conflictingFields, "width", "papo-removing/preview?draws=64&width=1024"),
    ]

    @Test(arguments: wrong) func `what is wrong is told with its name`(
        kind: Problem.Kind, field: String, target: String
    ) throws {
        try service.get("/v1/recipes/" + target).expectProblem(kind, field: field)
    }

    @Test func `all faults of the options are told together`() throws {
        let errors = try service.get(path("papo-removing", "?draws=0&width=1&seed=-1&colums=2")).json(
            .badRequest)["errors"]?.array
        #expect(
            Set(errors?.compactMap { $0["field"]?.string } ?? []) == ["draws", "width", "seed", "colums"])
    }

    @Test func `wrong bodies are refused`() throws {
        let file = try pngFile()
        try post("papo-removing", "", Array("{}".utf8), type: "application/json").expectProblem(
            .unsupportedMediaType, field: "Content-Type")
        try post("papo-removing", "", Array(file.prefix(60))).expectProblem(.malformedImage, field: "image")
        try post("papo-removing", "", []).expectProblem(.malformedImage, field: "image")
        try post("papo-removing", "", Array("hello".utf8)).expectProblem(.unsupportedImage, field: "image")
        try form("papo-removing", [formPart("image", file), formPart("image", file)]).expectProblem(
            .malformedMultipart, field: "image")
        try form("papo-removing", [formPart("imag", file)]).expectProblem(.unknownField, field: "imag")
        try form("papo-removing", [formPart("second_image", file)]).expectProblem(
            .conflictingFields, field: "second_image")
        try form("vision-matters-mixup", [formPart("second_image", Array(file.prefix(50)))]).expectProblem(
            .malformedImage, field: "second_image")
        try form("papo-removing", [Self.request("[]")]).expectProblem(.invalidType, field: "request")
        try form("papo-removing", [Self.request("{")]).expectProblem(.malformedJSON, field: "request")
        try form("papo-removing", [Self.request(#"{"daws":1}"#)]).expectProblem(.unknownField, field: "daws")
        try post(
            "papo-removing", "?draws=1", multipart([formPart("image", file)]),
            type: "multipart/form-data; boundary=edge"
        ).expectProblem(.unknownOption, field: "draws")
        try service.send(
            "GET", path("papo-removing"), [1, 2, 3]
        ).expectProblem(.bodyTooLarge)
        for name in ["PUT", "DELETE"] {
            let refused = try service.send(name, path("papo-removing"))
            try refused.expectProblem(.methodNotAllowed, field: "method")
            #expect(refused.headers[.allow] == "GET, HEAD, OPTIONS, POST")
        }
    }

    @Test func `an own recipe whose draws do not fit the picture names the draws`() throws {
        let recipe = #"{"step":"zoom_crop","left":0,"top":0,"width":500,"height":10}"#
        let error = try service.get(path("custom", "?draws=2&recipe=\(percentEncoded(recipe))"))
            .expectProblem(.invalidStep, field: "recipe.width", index: [0])
        #expect(error["reason"]?.string?.contains("outside") == true)
    }

    @Test func `a sheet beyond the memory budget is refused before anything is decoded`() throws {
        let small = TestService(memoryBudgetBytes: 4 << 20)
        let response = try small.get(path("papo-removing"))
        try response.expectProblem(.memoryBudgetExceeded, field: "image")
        #expect(try small.get(path("papo-removing", "?draws=1&width=64")).status == .ok)
    }

    @Test func `a picture is only taken from who has the token`() throws {
        let guarded = TestService(tokens: try bearerTokens("s3cret-1"))
        for (token, status) in [("wrong", 401), ("s3cret-1", 200)] {
            let headers = [("Content-Type", "image/png"), ("Authorization", "Bearer \(token)")]
            let response = try guarded.send(
                "POST", path("papo-removing", "?draws=1"), try pngFile(), headers: headers)
            #expect(response.status.code == status)
        }
    }
}
