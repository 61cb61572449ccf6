import HTTP
import HTTPTypes
import JSON
import Tensor

extension TensorReply {
    /// One safetensors file; the scalars are JSON text in its metadata. The segments are sent as they are.
    func safetensors() -> Response {
        var writer = SafetensorsWriter()
        writer.setMetadata("result", JSONValue.object(resolvedScalars(withSequences: true)).text)
        for entry in entries {
            switch entry.values {
            case .masks(let masks): writer.append(entry.name, shape: layout.shape, masks: masks)
            case .floats(let floats): writer.append(entry.name, shape: layout.shape, floats: floats)
            case .rowNumbers(let rows):
                writer.append(entry.name, shape: [rows.count], integers: rows.map(Int64.init))
            case .rows(let floats, let rows, let width):
                writer.append(entry.name, shape: [rows.count, width], floats: floats)
            }
        }
        return Response(headers: [.contentType: "application/x-safetensors"], body: writer.segments())
    }
}
