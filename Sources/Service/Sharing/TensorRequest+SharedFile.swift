import SharedFiles
import Tensor

extension SharedFile: ByteLender {}

extension TensorRequest {
    /// Creates a request from a mapped safetensors file. Its tensors stay in the file.
    /// - Throws: 400 if the bytes are not a safetensors file, and the errors of every safetensors request.
    /// - Complexity: O(header bytes)
    init(_ file: SharedFile, schema: TensorSchema) throws(Problem) {
        let layout: SafetensorsLayout
        do throws(SafetensorsError) {
            layout = try file.withBytes { bytes throws(SafetensorsError) in
                var prefix = SafetensorsPrefix(
                    fileLength: bytes.byteCount, limit: TensorIntake.maximumHeaderBytes)
                guard let layout = try prefix.consume(bytes).layout else { throw prefix.truncation }
                return layout
            }
        } catch {
            throw Problem(error, schema)
        }
        var tensors: [String: DenseTensor] = [:]
        for entry in layout.entries {
            tensors[entry.name] = DenseTensor(
                entry, in: file, start: layout.dataStart + entry.data.lowerBound)
        }
        try self.init(safetensors: layout, schema: schema, tensors: tensors, reduced: [:])
    }
}
