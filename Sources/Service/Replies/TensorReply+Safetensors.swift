import Batches
import ContrastiveLoss
import HTTP
import HTTPTypes
import JSON
import Tensor
import TokenDistribution

extension TensorReply {
    /// Returns the reply as one safetensors file, with the scalars as JSON text in its metadata. The segments are
    /// sent without joining them.
    ///
    /// Gradients of logits must have been filled.
    func safetensors() -> Response {
        Response(.safetensors, body: writer.segments())
    }

    /// The reply as a file to write, with space for gradients that are not filled.
    var file: SafetensorsFile { writer.file() }

    private var writer: SafetensorsWriter {
        var writer = SafetensorsWriter()
        writer.setMetadata("result", JSONValue.object(resolvedScalars(withSequences: true)).text)
        for entry in entries {
            switch entry.values {
            case .masks(let masks): writer.append(entry.name, shape: layout.shape, masks: masks)
            case .floats(let floats):
                writer.append(entry.name, .float32, shape: layout.shape, bytes: floats.bytes)
            case .bfloat16s(let bfloat16s):
                writer.append(entry.name, .bfloat16, shape: layout.shape, bytes: bfloat16s.bytes)
            case .integers(let integers):
                writer.append(entry.name, shape: layout.shape, integers: integers.map(Int64.init))
            case .texts(let texts): writer.setMetadata(entry.name, texts.json)
            case .sequences(let floats, _):
                writer.append(entry.name, .float32, shape: [floats.count], bytes: floats.bytes)
            case .scalar(let value): writer.append(entry.name, scalar: value)
            case .indices(let rows):
                writer.append(entry.name, shape: [rows.count], integers: rows.map(Int64.init))
            case .rows(let bytes, let type, let rows, let width):
                writer.append(entry.name, type.elementType, shape: [rows.count, width], bytes: bytes)
            case .gradient:
                guard let gradients else { preconditionFailure("gradients of nothing") }
                writer.reserve(
                    entry.name, gradientType.elementType,
                    shape: [gradients.rows.count, gradients.vocabulary])
            }
        }
        return writer
    }
}
