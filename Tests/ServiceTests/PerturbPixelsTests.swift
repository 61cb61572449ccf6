import HTTP
import HTTPTypes
import Images
import JSON
import Service
import Tensor
import Testing

/// Pictures that come as pixels, in safetensors, and how they are refused.
@Suite struct PerturbPixelsTests {
    private let service = TestService()

    private static let views =
        #""views":[{"name":"a","recipe":"cppo-removing","seed":3},{"name":"b","steps":[]}]"#

    /// A file of pixels; `request` is what `__metadata__` has of it.
    static func file(
        _ pictures: [(id: String, image: PixelImage)], request: String? = "{\(views)}",
        type: ElementType = .uint8, shape: ([Int]) -> [Int] = { $0 }
    ) -> [UInt8] {
        var members: [JSONValue.Member] = []
        if let request { members.append(.init("__metadata__", ["request": .string(request)])) }
        var data: [UInt8] = []
        for (id, image) in pictures {
            let bytes = image.samples + [UInt8](repeating: 0, count: image.samples.count * (type.size - 1))
            let range: JSONValue = [.integer(Int64(data.count)), .integer(Int64(data.count + bytes.count))]
            members.append(
                .init(
                    id,
                    [
                        "dtype": .string(type.rawValue),
                        "shape": .array(shape([image.height, image.width, 3]).map { .integer(Int64($0)) }),
                        "data_offsets": range,
                    ]))
            data += bytes
        }
        let header = JSONValue.object(members).bytes
        return (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) } + header + data
    }

    private func perturb(_ body: [UInt8], accept: String? = nil, query: String = "") throws -> Response {
        try service.send(
            "POST", "/v1/perturb\(query)", body,
            headers: [("Content-Type", "application/x-safetensors")] + (accept.map { [("Accept", $0)] } ?? [])
        )
    }

    @Test func `pixels give the same views as their files, in safetensors unless asked otherwise`() throws {
        let pictures = [("one", gradientPicture()), ("t/w.o", gradientPicture(width: 7, height: 20))]
        let body = Self.file(pictures)
        let files = try pictures.map { #"{"id":"\#($0.0)","data":"\#(base64(try pngFile($0.1)))"}"# }
        let text = #"{"images":[\#(files.joined(separator: ","))],\#(Self.views),"format":"raw"}"#
        let expected = try service.post(text: text, to: "/v1/perturb").json()

        for accept in [nil, "*/*", "application/x-safetensors"] {
            let reply = try perturb(body, accept: accept)
            try #require(reply.status == .ok, "\(reply.text)")
            #expect(reply.headers[.contentType] == "application/x-safetensors")
            let made = try Safetensors(parsing: reply.bytes)
            #expect(Set(made.names) == ["one.a", "one.b", "t/w.o.a", "t/w.o.b"])
            for picture in expected["images"]?.array ?? [] {
                let id = try #require(picture["id"]?.string)
                for view in picture["views"]?.array ?? [] {
                    let tensor = try #require(made.tensors["\(id).\(view["name"]?.string ?? "")"])
                    #expect(tensor.shape.map { .integer(Int64($0)) } == [view["height"], view["width"], 3])
                    #expect(Array(tensor.bytes) == unbase64(try #require(view["data"]?.string)))
                }
            }
        }
        let asRaw = try perturb(
            Self.file(pictures, request: #"{\#(Self.views),"format":"raw"}"#), accept: "application/json")
        #expect(try asRaw.json() == expected)
        let asPNG = try perturb(body, accept: "application/json").json()
        let first = try #require(asPNG["images"]?.array?.first?["views"]?.array?.last?["data"]?.string)
        #expect(try PixelImage(decoding: unbase64(first).span) == pictures[0].1)
        let mixed = try parts(of: perturb(body, accept: "multipart/mixed"))
        #expect(mixed.count == 5)
        #expect(mixed[1].header.contains(#"name="one.a""#) && mixed[1].header.contains("image/png"))
    }

    @Test func `images order and select tensors and carry second_only; draws go by the ids`() throws {
        let pictures = ["a", "b", "c"].enumerated().map { ($1, gradientPicture(width: 6 + $0, height: 5)) }
        let views =
            #""views":[{"name":"v","recipe":"vision-matters-mixup","seed":1,"second_images":["c"]}],"variants":2"#
        let request = #"{"images":[{"id":"b"},{"id":"c","second_only":true}],\#(views)}"#
        let reply = try perturb(Self.file(pictures, request: request))
        try #require(reply.status == .ok, "\(reply.text)")
        let made = try Safetensors(parsing: reply.bytes)
        #expect(Set(made.names) == ["b.v.0", "b.v.1"])
        let alone = #"{"images":[{"id":"a"},{"id":"b"}],"views":[{"name":"v","recipe":"cppo-removing"}]}"#
        let every = #"{"views":[{"name":"v","recipe":"cppo-removing"}]}"#
        let (some, all) = try (
            Safetensors(parsing: perturb(Self.file(pictures, request: alone)).bytes),
            Safetensors(parsing: perturb(Self.file(pictures, request: every)).bytes)
        )
        #expect(some.tensors["b.v"].map { Array($0.bytes) } == all.tensors["b.v"].map { Array($0.bytes) })
        #expect(all.names.count == 3)
        let order = try perturb(
            Self.file(
                pictures, request: #"{"images":[{"id":"c"},{"id":"a"}],"views":[{"name":"v","steps":[]}]}"#),
            accept: "application/json"
        ).json()
        #expect(order["images"]?.array?.compactMap { $0["id"]?.string } == ["c", "a"])
    }

    @Test func `no pictures are a valid batch`() throws {
        let reply = try perturb(Self.file([]))
        #expect(try Safetensors(parsing: reply.bytes).names.isEmpty)
    }

    static let wrong: [(Problem.Kind, String, [UInt8])] = {
        let small = [("a", gradientPicture(width: 3, height: 2))]
        func request(_ text: String) -> [UInt8] { file(small, request: text) }
        return [
            (.missingField, "__metadata__.request", file(small, request: nil)),
            (.malformedJSON, "__metadata__.request", request("{")),
            (.invalidType, "__metadata__.request", request("[]")),
            (.missingField, "views", request("{}")),
            (.unknownField, "images[0].data", request(#"{"images":[{"id":"a","data":""}],\#(views)}"#)),
            (.missingField, "images[0].id", request(#"{"images":[{}],\#(views)}"#)),
            (.missingField, "images", request(#"{"images":[{"id":"b"}],\#(views)}"#)),
            (.duplicateID, "images[1].id", request(#"{"images":[{"id":"a"},{"id":"a"}],\#(views)}"#)),
            (.conflictingFields, "alpha", request(#"{"alpha":"drop",\#(views)}"#)),
            (.conflictingFields, "orientation", request(#"{"orientation":"ignore",\#(views)}"#)),
            (.conflictingFields, "allow_truncated", request(#"{"allow_truncated":true,\#(views)}"#)),
            (.conflictingFields, "gray16", request(#"{"gray16":"scale",\#(views)}"#)),
            (.conflictingFields, "format", request(#"{"format":"png",\#(views)}"#)),
            (.invalidElementType, "a", file(small, type: .float32)),
            (.invalidElementType, "a", file(small, type: .int64)),
            (.invalidShape, "a", file([("a", gradientPicture())]) { [$0[2], $0[0], $0[1]] }),
            (.invalidShape, "a", file(small) { [1] + $0 }),
            (.invalidShape, "a", file(small) { [$0[0] * $0[1] * 3] }),
            (.invalidShape, "a", file([("a", gradientPicture(width: 4, height: 3))]) { [$0[0], 3, $0[1]] }),
            (.invalidValue, "-a", file([("-a", gradientPicture())])),
            (.invalidValue, "", file([("", gradientPicture())])),
            (
                .invalidStep, "views[0].steps[0]",
                request(
                    #"{"views":[{"name":"v","steps":[{"step":"zoom_crop","left":0,"top":0,"width":9,"height":9}]}]}"#
                )
            ),
        ]
    }()

    @Test(arguments: wrong) func `a wrong file of pixels is refused with its kind and place`(
        kind: Problem.Kind, field: String, body: [UInt8]
    ) throws {
        let problem = try perturb(body).expectProblem(kind, field: nil)
        #expect(problem["field"]?.string?.hasPrefix(field) == true, "\(problem.text)")
    }

    @Test func `an empty tensor is no picture, and planar pixels are told how to turn`() throws {
        let empty = Array(
            #"{"__metadata__":{"request":"{\"views\":[{\"name\":\"v\",\"steps\":[]}]}"},"a":{"dtype":"U8","shape":[0,4,3],"data_offsets":[0,0]}}"#
                .utf8)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: empty.count >> (8 * $0)) }
        try perturb(length + empty).expectProblem(.invalidShape, field: "a")
        let planar = try perturb(Self.file([("a", gradientPicture())]) { [3, $0[0], $0[1]] })
        #expect(planar.text.contains("permute(1, 2, 0)"))
    }

    @Test func `the query is refused, and every truncation`() throws {
        let body = Self.file([("a", gradientPicture(width: 2, height: 2))])
        try perturb(body, query: "?seed=1").expectProblem(.unknownOption, field: "seed")
        #expect(try perturb(body).status == .ok)
        for length in 0..<body.count {
            try perturb(Array(body[..<length])).expectProblem(.malformedSafetensors)
        }
        try perturb(body + [0]).expectProblem(.malformedSafetensors)
    }

    @Test func `no changed byte of the header does harm`() throws {
        let body = Self.file([("a", gradientPicture(width: 2, height: 2))])
        for place in 0..<(body.count - 12) {
            for bit in [0, 3, 6] {
                var changed = body
                changed[place] ^= 1 << UInt8(bit)
                let status = try perturb(changed).status
                #expect(
                    [200, 400, 413, 422, 507].contains(status.code), "byte \(place) bit \(bit): \(status)")
            }
        }
    }

    @Test func `a picture over the limit is refused by its shape, before it is touched`() throws {
        let small = TestService(maxImagePixels: 100)
        let body = Self.file([
            ("a", gradientPicture(width: 11, height: 10)), ("b", gradientPicture(width: 10, height: 10)),
        ])
        let reply = try small.send(
            "POST", "/v1/perturb", body, headers: [("Content-Type", "application/x-safetensors")])
        let problem = try reply.expectProblem(.imageTooLarge, field: "a")
        #expect(problem["found"]?.string == "11 × 10 pixels")
        #expect(try reply.json(.contentTooLarge)["errors"]?.array?.count == 1)
    }

    @Test func `views that would not fit in the budget are refused before any is made`() throws {
        let small = TestService(memoryBudgetBytes: 4 << 20)
        let body = Self.file(
            [("a", gradientPicture(width: 300, height: 300))], request: #"{"variants":256,\#(Self.views)}"#)
        let reply = try small.send(
            "POST", "/v1/perturb", body, headers: [("Content-Type", "application/x-safetensors")])
        #expect([507, 413].contains(reply.status.code), "\(reply.text)")
    }
}
