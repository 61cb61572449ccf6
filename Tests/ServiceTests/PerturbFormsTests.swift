import HTTP
import HTTPTypes
import Images
import JSON
import Perturbation
import Service
import Tensor
import Testing

/// One picture, however it is sent and however the views come back, gives the same pixels.
@Suite struct PerturbFormsTests {
    private let service = TestService()

    private func json(_ picture: [UInt8], _ view: String, more: String = "", id: String = "0") -> [UInt8] {
        Array(
            #"{"images":[{"id":"\#(id)","data":"\#(base64(picture))"}],"views":[{"name":"view",\#(view)}]\#(more)}"#
                .utf8)
    }

    private func perturb(
        _ body: [UInt8], type: String = "application/json", accept: String? = nil, query: String = ""
    ) throws -> Response {
        try service.send(
            "POST", "/v1/perturb\(query)", body,
            headers: [("Content-Type", type)] + (accept.map { [("Accept", $0)] } ?? []))
    }

    /// Those that one picture is enough for.
    static let recipes = RecipeCatalogue.all.filter { !$0.readsDrawnSecond }.map(\.name)

    @Test(arguments: recipes, [0, 7, 9_223_372_036_854_775_807])
    func `raw, JSON and multipart requests draw the same steps and give the same bytes`(
        recipe: String, seed: Int
    ) throws {
        let picture = try pngFile()
        let raw = try perturb(picture, type: "image/png", query: "?recipe=\(recipe)&seed=\(seed)&always=true")
        try #require(raw.status == .ok, "\(raw.text)")
        #expect(raw.headers[.contentType] == "image/png")
        let steps = try #require(raw.headers[try name("Perception-Steps")])
        if RecipeCatalogue.recipe(named: recipe)?.keepsSize == true {
            #expect(raw.headers[try name("Perception-Size")] == "12x9")
        }

        let view = #""recipe":"\#(recipe)","seed":\#(seed),"always":true"#
        let fromJSON = try perturb(json(picture, view)).json()
        let made = try #require(fromJSON["images"]?.array?.first?["views"]?.array?.first)
        #expect(made["steps"] == (try JSONValue(parsing: steps)))
        #expect(unbase64(try #require(made["data"]?.string)) == raw.bytes)

        let request = Array(#"{"views":[{"name":"view",\#(view)}]}"#.utf8)
        let form = multipart([
            ("Content-Disposition: form-data; name=\"request\"", request), formPart("images", picture),
        ])
        #expect(try perturb(form, type: "multipart/form-data; boundary=edge").json() == fromJSON)
        let listed = Array(#"{"views":[{"name":"view",\#(view)}],"images":[{"id":"0"}]}"#.utf8)
        let named = multipart([
            formPart("0", picture), ("Content-Disposition: form-data; name=request", listed),
        ])
        #expect(try perturb(named, type: "multipart/form-data; boundary=\"edge\"").json() == fromJSON)
    }

    @Test(arguments: recipes) func `steps that were drawn, posted back, give the same bytes`(recipe: String)
        throws
    {
        let picture = try pngFile(gradientPicture(width: 31, height: 17))
        for seed in 0..<6 {
            let drawn = try perturb(picture, type: "image/png", query: "?recipe=\(recipe)&seed=\(seed)")
            let steps = try #require(drawn.headers[try name("Perception-Steps")])
            let again = try perturb(picture, type: "image/png", query: "?steps=\(percentEncoded(steps))")
            #expect(again.bytes == drawn.bytes, "\(steps)")
            #expect(again.headers[try name("Perception-Steps")] == steps)
            let asJSON = try perturb(json(picture, "\"steps\":\(steps)")).json()
            let data = asJSON["images"]?.array?.first?["views"]?.array?.first?["data"]?.string
            #expect(data.map(unbase64) == drawn.bytes)
        }
    }

    @Test func `replies in JSON, multipart and safetensors hold the same pixels`() throws {
        let picture = try pngFile()
        let body = json(
            picture, #""recipe":"cppo-preserving","seed":3,"always":true"#,
            more: #","format":"raw","variants":3"#, id: "a/b")
        let asJSON = try perturb(body).json()
        let views = try #require(asJSON["images"]?.array?.first?["views"]?.array)
        #expect(views.compactMap { $0["variant"]?.integer } == [0, 1, 2])
        let pixels = views.compactMap { $0["data"]?.string }.map(unbase64)
        #expect(pixels.count == 3 && Set(pixels).count > 1)

        let file = try Safetensors(parsing: perturb(body, accept: "application/x-safetensors").bytes)
        #expect(Set(file.names) == ["a/b.view.0", "a/b.view.1", "a/b.view.2"])
        for (variant, bytes) in pixels.enumerated() {
            let tensor = try #require(file.tensors["a/b.view.\(variant)"])
            #expect(tensor.elementType == .uint8 && tensor.shape == [9, 12, 3])
            #expect(tensor.doubles() == bytes.map(Double.init))
        }
        let result = try JSONValue(parsing: try #require(file.metadata["result"]))
        #expect(result["images"]?.array?.first?["views"]?.array?.allSatisfy { $0["data"] == nil } == true)

        let mixed = try parts(of: perturb(body, accept: "multipart/mixed"))
        #expect(mixed.count == 4 && mixed[0].header == "Content-Type: application/json")
        #expect(try JSONValue(parsing: mixed[0].content) == result)
        #expect(mixed.dropFirst().map(\.content) == pixels)
        #expect(
            mixed[1].header.contains("name=\"a/b.view.0\"")
                && mixed[1].header.contains("application/octet-stream"))
    }

    @Test func `the first variant is what one variant gives, and other pictures change nothing`() throws {
        let picture = try pngFile()
        let other = try pngFile(gradientPicture(width: 5, height: 5))
        let view = #"{"name":"view","recipe":"cppo-removing","seed":5}"#
        func pixels(_ images: String, _ more: String = "") throws -> [String: [String]] {
            let reply = try perturb(Array(#"{"images":[\#(images)],"views":[\#(view)]\#(more)}"#.utf8)).json()
            return (reply["images"]?.array ?? []).reduce(into: [:]) { result, image in
                result[image["id"]?.string ?? ""] = image["views"]?.array?.compactMap { $0["data"]?.string }
            }
        }
        let first = #"{"id":"one","data":"\#(base64(picture))"}"#
        let second = #"{"id":"two","data":"\#(base64(other))"}"#
        let alone = try pixels(first)["one"]
        #expect(alone?.count == 1)
        #expect(try pixels("\(second),\(first)")["one"] == alone)
        let many = try pixels(first, #","variants":4"#)["one"]
        #expect(many?.count == 4 && many?.first == alone?.first)
    }

    static let formats: [(String?, String?, Int, String)] = [
        (nil, nil, 200, "image/png"), ("png", nil, 200, "image/png"), ("jpeg", nil, 200, "image/jpeg"),
        ("raw", nil, 200, "application/octet-stream"), (nil, "image/jpeg", 200, "image/jpeg"),
        (nil, "image/*", 200, "image/png"),
        (nil, "image/jpeg;q=0.5, image/png;q=0.4", 200, "image/jpeg"),
        (nil, "application/json", 200, "application/json"),
        (nil, "application/x-safetensors", 200, "application/x-safetensors"),
        ("png", "image/jpeg", 200, "image/png"),
        ("raw", "application/x-safetensors", 200, "application/x-safetensors"),
        ("png", "application/x-safetensors", 422, "application/problem+json"),
        (nil, "text/html", 200, "image/png"),
        ("jpeg", "application/json", 200, "application/json"),
    ]

    @Test(arguments: formats) func `format and Accept choose a raw picture's reply`(
        format: String?, accept: String?, status: Int, type: String
    ) throws {
        let query = "?steps=%5B%5D" + (format.map { "&format=\($0)" } ?? "")
        let response = try perturb(pngFile(), type: "image/png", accept: accept, query: query)
        #expect(
            response.status.code == status && response.headers[.contentType] == type,
            "\(response.text.prefix(300))")
    }

    @Test func `a part's header may go on in lines that begin with a blank`() throws {
        let picture = try pngFile()
        let request = Array(#"{"views":[{"name":"view","steps":[]}]}"#.utf8)
        let expected = try perturb(json(picture, #""steps":[]"#)).json()
        let form = multipart([
            (
                "Content-Disposition: form-data;\r\n name=\"images\";\r\n\tfilename=\"x.png\"\r\nContent-Type:\r\n image/png",
                picture
            ),
            ("Content-Disposition:\r\n  form-data; name=\"request\"", request),
        ])
        #expect(try perturb(form, type: "multipart/form-data; boundary=edge").json() == expected)
    }

    @Test(arguments: [1, 250, 300, 310, 350, 2000])
    func `steps too long for a header are left out of it, and said to be elsewhere`(count: Int) throws {
        let picture = try pngFile()
        let patches = repeatElement("[0,0,2,1]", count: count).joined(separator: ",")
        let steps = #"[{"step":"occlusion","patches":[\#(patches)],"noise_seed":1}]"#
        let asJSON = try perturb(json(picture, "\"steps\":\(steps)")).json()
        let made = try #require(asJSON["images"]?.array?.first?["views"]?.array?.first?["steps"])
        let length = made.text.utf8.count
        let reply = try perturb(picture, type: "image/png", query: "?steps=\(percentEncoded(steps))")
        try #require(reply.status == .ok, "\(reply.text)")
        let field = reply.headers[try name("Perception-Steps")]
        let omitted = reply.headers[try name("Perception-Steps-Omitted")]
        if length <= 3072 {
            #expect(field == made.text && omitted == nil)
        } else {
            #expect(field == nil && omitted?.hasPrefix("\(length) bytes; ") == true)
        }
    }

    @Test func `no steps only decode and encode, losslessly in PNG and raw`() throws {
        let image = gradientPicture()
        let png = try perturb(pngFile(image), type: "image/png", query: "?steps=[]&level=9")
        #expect(try PixelImage(decoding: png.bytes.span) == image)
        let raw = try perturb(pngFile(image), type: "image/png", query: "?steps=[]&format=raw")
        #expect(raw.bytes == image.samples)
    }

    @Test func `JPEG is read, and written with its quality`() throws {
        let jpeg = try gradientPicture(width: 40, height: 40).encoded(as: .jpeg(quality: 90))
        let low = try perturb(
            jpeg, type: "image/jpeg", query: "?steps=[]&format=jpeg&quality=5&subsampling=4:2:0")
        let high = try perturb(jpeg, type: "image/jpeg", query: "?steps=[]&format=jpeg&quality=100")
        #expect(low.status == .ok && high.status == .ok && low.bytes.count < high.bytes.count)
        // What the bytes are decides, not what they are called.
        #expect(
            try perturb(jpeg, type: "image/png", query: "?steps=[]&format=jpeg&quality=100").bytes
                == high.bytes)
    }

    @Test func `no pictures are a valid request`() throws {
        let reply = try perturb(Array(#"{"images":[],"views":[{"name":"v","steps":[]}]}"#.utf8)).json()
        #expect(reply == ["images": []])
        let form = multipart([
            (
                "Content-Disposition: form-data; name=request",
                Array(#"{"views":[{"name":"v","steps":[]}]}"#.utf8)
            )
        ])
        #expect(try perturb(form, type: "multipart/form-data; boundary=edge").json() == ["images": []])
    }

    private func name(_ text: String) throws -> HTTPField.Name { try #require(HTTPField.Name(text)) }
}
