extension PerturbRequest {
    /// Reads multipart/form-data: a part `request` with the JSON, and a file part for each picture.
    init(multipart bytes: [UInt8], boundary: String?) throws(Problem) {
        let form = try MultipartForm(checking: bytes, boundary: boundary)
        let requests = form.parts.filter { $0.name == "request" }
        guard requests.count == 1 else {
            throw Problem(
                requests.isEmpty ? .missingField : .malformedMultipart,
                Problem.Reason(
                    "exactly one part of this name is needed", field: "request", found: "\(requests.count)"))
        }
        let files = form.parts.filter { $0.name != "request" }.map {
            (name: $0.name, bytes: Array(bytes[$0.body]))
        }
        try self.init(json: Array(bytes[requests[0].body]), field: "request", pictures: .files) {
            listed, faults in
            PerturbRequest.pictures(files, listed: listed, &faults)
        }
    }
}

extension MultipartForm {
    /// - Parameter boundary: the boundary of Content-Type, if given.
    init(checking bytes: [UInt8], boundary: String?) throws(Problem) {
        guard let boundary else {
            throw Problem(.malformedMultipart, "the Content-Type has no boundary", field: "Content-Type")
        }
        do throws(MultipartError) {
            try self.init(parsing: bytes, boundary: boundary)
        } catch {
            throw Problem(.malformedMultipart, Problem.Reason(error.reason, field: "body", byte: error.byte))
        }
    }
}
