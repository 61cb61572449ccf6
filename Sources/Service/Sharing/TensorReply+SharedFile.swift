import ContrastiveLoss
import HTTP
import JSON
import SharedFiles
import Tensor

extension TensorReply {
    /// Writes the reply's tensors to a safetensors file in the shared directory and answers with the scalars as JSON.
    /// Gradients of logits are computed directly into the file.
    ///
    /// - Parameters:
    ///   - input: where the request's tensors lie, which must not have changed when the result appears.
    ///   - isWanted: asked now and then; false ends the work.
    /// - Throws: 507 when the directory has no room; nothing is left there by a request that fails.
    func publish(
        as name: String, in directory: SharedDirectory, unlessChanged input: SharedInput?,
        while isWanted: @Sendable () -> Bool
    ) throws(Problem) -> Response {
        let file = file
        let output = try shared(SharedNames.outputParameter, name) { () throws(SharedFileError) in
            try directory.makeFile(name, count: file.count)
        }
        if let failure = write(file, to: output, while: isWanted) { throw problem(failure) }
        try input?.checkUnchanged()
        try shared(SharedNames.outputParameter, name) { () throws(SharedFileError) in try output.publish() }
        let members =
            resolvedScalars(withSequences: true) + [
                .init(SharedNames.outputParameter, .string(name)),
                .init("output_bytes", .integer(Int64(file.count))),
            ]
        return Response(.json, body: [JSONValue.object(members).bytes])
    }

    private func write(
        _ file: SafetensorsFile, to output: SharedOutput, while isWanted: @Sendable () -> Bool
    ) -> UnfilledRows? {
        unsafe output.withBytes { memory in
            unsafe memory.copyBytes(from: file.header)
            for part in file.parts {
                guard let bytes = part.bytes else { continue }
                unsafe UnsafeMutableRawBufferPointer(rebasing: memory[part.range]).copyBytes(from: bytes)
            }
            guard let gradients else { return nil }
            var rows = PerView(repeating: RowMemory.none)
            for entry in entries {
                guard case .gradient(let view) = entry.values, let room = file.room(for: entry.name) else {
                    continue
                }
                rows[view] = unsafe RowMemory(
                    UnsafeMutableRawBufferPointer(rebasing: memory[room]), as: gradientType)
            }
            return gradients.fill(rows, while: isWanted)
        }
    }
}
