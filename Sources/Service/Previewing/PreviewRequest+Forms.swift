import HTTP
import JSON

extension PreviewRequest {
    /// Reads the query form: the body, if any, is the picture.
    init(name: String, query: [QueryItem], image: [UInt8]?) throws(Problem) {
        var faults = Faults()
        let table = image == nil ? PreviewOptions.drawing : PreviewOptions.all
        let members = PerturbRequest.members(of: query, table, &faults)
        try self.init(
            name: name, members: members, table, asFields: false, pictures: Pictures(image: image), &faults)
    }

    /// Reads multipart/form-data with up to three parts: the files `image` and `second_image`, and `request`, the
    /// options as JSON.
    init(name: String, multipart bytes: [UInt8], boundary: String?) throws(Problem) {
        let form = try MultipartForm(checking: bytes, boundary: boundary)
        let known = ["image", "second_image", "request"]
        var faults = Faults()
        for (index, part) in form.parts.enumerated() {
            if !known.contains(part.name) {
                faults.add(.unknownField, .unknown("part", part.name, known: known))
            } else if form.parts.prefix(index).contains(where: { $0.name == part.name }) {
                faults.add(.malformedMultipart, Problem.Reason("given more than once", field: part.name))
            }
        }
        try faults.check()
        func content(_ name: String) -> [UInt8]? {
            form.parts.first { $0.name == name }.map { Array(bytes[$0.body]) }
        }
        var members: [JSONValue.Member] = []
        if let request = content("request") {
            let json: JSONValue
            do throws(JSONError) {
                json = try JSONValue(parsing: request, depthLimit: 16)
            } catch {
                throw Problem(error, field: "request")
            }
            guard let object = json.members else {
                throw Problem(
                    .invalidType,
                    Problem.Reason("wrong type", field: "request", expected: "an object"))
            }
            members = object
        }
        try self.init(
            name: name, members: members, PreviewOptions.all, asFields: true,
            pictures: Pictures(image: content("image"), second: content("second_image")), &faults)
    }
}
