"""Safetensors written so that the same contents are always the same bytes.

The safetensors package orders metadata as its hash map pleases; here names and metadata are sorted, so that a
generator run twice leaves no difference to commit.
"""

import json
import struct

import torch

# Those of log-probabilities, entropies and logits.
DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "F64": torch.float64}
NAMES = {kind: name for name, kind in DTYPES.items()} | {
    torch.int64: "I64", torch.int32: "I32", torch.uint8: "U8", torch.bool: "BOOL"}


def write(path, tensors, metadata):
    """Widest elements first, so that every tensor starts aligned; the header is padded to 8 bytes with spaces."""
    header = {"__metadata__": {key: metadata[key] for key in sorted(metadata)}}
    data = b""
    for name in sorted(tensors, key=lambda n: (-tensors[n].element_size(), n)):
        tensor = tensors[name].detach().contiguous()
        content = tensor.reshape(-1).view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
        offsets = [len(data), len(data) + len(content)]
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": offsets}
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path.stat().st_size
