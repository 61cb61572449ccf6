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
    ///   - input: the file of the request's tensors, which must not have changed when the result is published.
    ///   - isWanted: called from time to time. If it returns false, the work ends.
    /// - Throws: 507 if the directory is full. A request that fails leaves no file there.
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
            for section in file.sections {
                guard let bytes = section.bytes else { continue }
                unsafe UnsafeMutableRawBufferPointer(rebasing: memory[section.range]).copyBytes(from: bytes)
            }
            guard let gradients else { return nil }
            var rows = PerView(repeating: RowMemory.none)
            for entry in entries {
                guard case .gradient(let view) = entry.values, let range = file.range(reservedFor: entry.name)
                else {
                    continue
                }
                rows[view] = unsafe RowMemory(
                    UnsafeMutableRawBufferPointer(rebasing: memory[range]), as: gradientType)
            }
            return gradients.fill(rows, while: isWanted)
        }
    }
}
