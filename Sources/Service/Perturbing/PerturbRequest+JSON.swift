import JSON
import Perturbation
import Text

extension PerturbRequest {
    /// The form of pictures: inside the JSON, as files of a form, or as tensors.
    enum PictureForm {
        case embedded, files, tensors
    }

    /// Reads the JSON form.
    init(json bytes: [UInt8]) throws(Problem) {
        try self.init(json: bytes, field: "body", pictures: .embedded) { listed, faults in
            if listed == nil { faults.add(.missingField, Problem.Reason("missing", field: "images")) }
            return (listed ?? []).enumerated().map {
                Picture(
                    id: $1.id ?? "\($0)", source: .file($1.bytes), isSecondOnly: $1.isSecondOnly)
            }
        }
    }

    /// Reads the JSON of any form.
    /// - Parameters:
    ///   - field: the path of the JSON, for errors.
    ///   - collect: returns the pictures for those that the JSON lists; the argument is nil if it lists none.
    init(
        json bytes: [UInt8], field: String, pictures form: PictureForm,
        _ collect: ([ListedPicture]?, inout Faults) -> [Picture]
    ) throws(Problem) {
        var body = PerturbBody(embedsPictures: form == .embedded)
        do throws(JSONError) {
            try body.read(bytes)
        } catch {
            if case .wrongKind = error.reason {
                throw Problem(.invalidType, Problem.Reason("\(error)", field: field, byte: error.byte))
            }
            throw Problem(error, field: field)
        }
        var faults = body.faults
        var settings = PerturbSettings()
        PerturbSettings.table.apply(
            body.settings, alsoKnown: ["images", "views"], asFields: true, to: &settings, &faults)
        if form == .tensors {
            for member in body.settings where PerturbSettings.ofFiles.contains(member.name) {
                faults.add(
                    .conflictingFields,
                    Problem.Reason("it controls how files are decoded; these are pixels", field: member.name))
            }
        }
        let views = PerturbRequest.views(body.views, &faults)
        if body.views == nil { faults.add(.missingField, Problem.Reason("missing", field: "views")) }
        let pictures = collect(body.pictures, &faults)
        try faults.check()
        PerturbRequest.checkUnique(pictures.map(\.id), field: "images", "id", &faults)
        PerturbRequest.checkUnique(views.map(\.name), field: "views", "name", &faults)
        try faults.check()
        self.init(form: form, pictures: pictures, views: views, settings: settings)
        checkSecondPictures(&faults) { "views[\($0)]." }
        try faults.check()
    }

    private static func views(_ json: [JSONValue]?, _ faults: inout Faults) -> [RequestedView] {
        guard let json else { return [] }
        if json.isEmpty { faults.add(.invalidValue, Problem.Reason("at least one view", field: "views")) }
        return json.enumerated().compactMap { index, value in
            let field = "views[\(index)]"
            guard let members = value.members else {
                faults.add(.invalidType, Problem.Reason("wrong type", field: field, expected: "an object"))
                return nil
            }
            let known = ["name"] + drawNames
            for member in members where !known.contains(member.name) {
                faults.add(
                    .unknownField,
                    .unknown("field", member.name, known: known, field: "\(field).\(member.name)"))
            }
            guard let name = value["name"] else {
                faults.add(.missingField, Problem.Reason("missing", field: "\(field).name"))
                return nil
            }
            guard let text = name.string else {
                faults.add(
                    .invalidType, Problem.Reason("wrong type", field: "\(field).name", expected: "a string"))
                return nil
            }
            if !isViewName(text) {
                faults.add(
                    .invalidValue,
                    Problem.Reason(
                        "not a view's name", field: "\(field).name", expected: "1 to 64 of A–Z a–z 0–9 _ -",
                        found: text))
            }
            return RequestedView(name: text, members: members, field: field, &faults)
        }
    }

    /// Returns the pictures of a multipart form: every file in order, or exactly those that `request` lists.
    static func pictures(
        _ files: [(name: String, bytes: [UInt8])], listed: [ListedPicture]?, _ faults: inout Faults
    ) -> [Picture] {
        let named = files.enumerated().map {
            Picture(id: $1.name == "images" ? "\($0)" : $1.name, source: .file($1.bytes))
        }
        for picture in named where !isImageID(picture.id) {
            faults.add(
                .invalidValue, Problem.Reason("not an image's id", field: picture.id, expected: imageIDWords))
        }
        checkUnique(named.map(\.id), field: "images", "id", &faults)
        guard let listed else { return named }
        let places = places(of: named)
        let ids = listed.compactMap(\.id)
        for id in ids where places[id] == nil {
            faults.add(
                .missingField, Problem.Reason("no file has this image's id", field: "images", found: id))
        }
        let wanted = Set(ids)
        for picture in named where !wanted.contains(picture.id) {
            faults.add(
                .unknownField, Problem.Reason("a file that request.images does not list", field: picture.id))
        }
        return listed.compactMap { entry in
            entry.id.flatMap { places[$0] }.map { named[$0] }.map {
                Picture(id: $0.id, source: $0.source, isSecondOnly: entry.isSecondOnly)
            }
        }
    }

    private static func checkUnique(_ names: [String], field: String, _ what: String, _ faults: inout Faults)
    {
        var seen: Set<String> = []
        for (index, name) in names.enumerated() where !seen.insert(name).inserted {
            faults.add(
                .duplicateID, Problem.Reason("given before", field: "\(field)[\(index)].\(what)", found: name)
            )
        }
    }
}

let imageIDWords = "1 to 128 of A–Z a–z 0–9 . _ : / @ + - starting with a letter or digit"

func isImageID(_ text: String) -> Bool {
    guard let first = text.utf8.first, isAlphanumeric(first), text.utf8.count <= 128 else { return false }
    return text.utf8.allSatisfy { isAlphanumeric($0) || "._:/@+-".utf8.contains($0) }
}

private func isViewName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
        && text.utf8.allSatisfy { isAlphanumeric($0) || "_-".utf8.contains($0) }
}

private func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default: false
    }
}

/// A picture that the JSON of a request lists, without bytes if they are sent separately.
struct ListedPicture {
    var id: String?
    var bytes: [UInt8] = []
    var isSecondOnly = false
}

/// The JSON of a perturbation request while it is read. Pictures are decoded from base64 without an intermediate
/// string.
private struct PerturbBody {
    let embedsPictures: Bool
    var pictures: [ListedPicture]?
    var views: [JSONValue]?
    var settings: [JSONValue.Member] = []
    var faults = Faults()

    init(embedsPictures: Bool) { self.embedsPictures = embedsPictures }

    mutating func read(_ bytes: [UInt8]) throws(JSONError) {
        var reader = JSONReader(bytes, depthLimit: 16)
        try reader.object { (reader, name) throws(JSONError) in
            switch name {
            case "images":
                var read: [ListedPicture] = []
                try reader.array { (reader, index) throws(JSONError) in
                    guard index < PerturbRequest.maximumPictures else {
                        throw JSONError(
                            .tooManyValues(limit: PerturbRequest.maximumPictures), byte: reader.position)
                    }
                    read.append(try picture(&reader, "images[\(index)]", bytes))
                }
                pictures = read
            case "views":
                guard let list = try reader.value().array else {
                    faults.add(.invalidType, Problem.Reason("wrong type", field: "views", expected: "a list"))
                    views = []
                    return
                }
                views = list
            default: settings.append(.init(name, try reader.value()))
            }
        }
        try reader.end()
    }

    private mutating func picture(
        _ reader: inout JSONReader, _ field: String, _ body: [UInt8]
    ) throws(JSONError) -> ListedPicture {
        var id: String?
        var isSecondOnly = false
        var data: [UInt8]?
        try reader.object { (reader, name) throws(JSONError) in
            switch name {
            case "id":
                let text = try reader.string()
                if !isImageID(text) {
                    faults.add(
                        .invalidValue,
                        Problem.Reason(
                            "not an image's id", field: "\(field).id", expected: imageIDWords, found: text))
                }
                id = text
            case "second_only":
                let value = try reader.value()
                if let flag = value.bool {
                    isSecondOnly = flag
                } else {
                    faults.add(
                        .invalidType,
                        Problem.Reason("wrong type", field: "\(field).second_only", expected: "true or false")
                    )
                }
            case "data" where embedsPictures:
                if let range = try reader.plainStringRange() {
                    data = decoded(body[range], field)
                } else {
                    data = decoded(Array(try reader.string().utf8)[...], field)
                }
            default:
                let known = embedsPictures ? ["id", "data", "second_only"] : ["id", "second_only"]
                faults.add(
                    .unknownField, .unknown("field", name, known: known, field: "\(field).\(name)"))
                try reader.skip()
            }
        }
        if embedsPictures, data == nil {
            faults.add(.missingField, Problem.Reason("missing", field: "\(field).data"))
        }
        if !embedsPictures, id == nil {
            faults.add(.missingField, Problem.Reason("missing", field: "\(field).id"))
        }
        return ListedPicture(id: id, bytes: data ?? [], isSecondOnly: isSecondOnly)
    }

    /// Reads base64 or a data URI. The media type of a URI is ignored, because the bytes determine the format.
    private mutating func decoded(_ text: ArraySlice<UInt8>, _ field: String) -> [UInt8] {
        switch Base64.decode(text, allowsURI: true) {
        case .success(let bytes): return bytes
        case .failure(let error):
            faults.add(
                .invalidValue,
                Problem.Reason(
                    error.reason, field: "\(field).data", byte: text.startIndex + error.offset,
                    expected: "padded base64 without line breaks, or data:image/…;base64,…"))
            return []
        }
    }
}
