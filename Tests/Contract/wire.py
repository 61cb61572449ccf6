"""Requests and replies as NumPy arrays, for every encoding.

The safetensors package cannot hold BF16 in NumPy, so files are taken apart here; that the package itself reads and
writes what the server does is tested beside.
"""

import json
import struct

import numpy as np

TYPES = {
    "F64": np.float64, "F32": np.float32, "F16": np.float16, "I64": np.int64, "I32": np.int32, "U8": np.uint8,
    "BOOL": np.bool_,
}
VIEWS = ("original", "preserving", "removing")
MEDIA_TYPE = "application/x-safetensors"


class Stored:
    """A tensor as it lies in a file: element type, shape, bytes."""

    def __init__(self, dtype, shape, data):
        self.dtype, self.shape, self.data = dtype, list(shape), data

    @property
    def values(self):
        if self.dtype == "BF16":
            wide = np.frombuffer(self.data, np.uint16).astype(np.uint32) << 16
            return wide.view(np.float32).reshape(self.shape)
        return np.frombuffer(self.data, TYPES[self.dtype]).reshape(self.shape)

    @classmethod
    def of(cls, array):
        array = np.ascontiguousarray(array)
        name = next(n for n, t in TYPES.items() if t == array.dtype)
        return cls(name, array.shape, array.tobytes())


def read(data):
    """(tensors, metadata) of a safetensors file."""
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    body = data[8 + length :]
    tensors = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        tensors[name] = Stored(entry["dtype"], entry["shape"], body[start:end])
    assert sum(len(t.data) for t in tensors.values()) == len(body), "the data has holes or a tail"
    return tensors, metadata


def write(tensors, metadata=None):
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, tensor in tensors.items():
        offsets = [len(data), len(data) + len(tensor.data)]
        header[name] = {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": offsets}
        data += tensor.data
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def post_safetensors(http, url, tensors, options=None, **arguments):
    metadata = {"options": json.dumps(options)} if options is not None else None
    headers = {"Content-Type": MEDIA_TYPE} | arguments.pop("headers", {})
    return http.post(url, data=write(tensors, metadata), headers=headers, timeout=60, **arguments)


def columnar(tensors, options=None):
    """The columnar JSON body."""
    body = {name: tensor.values.tolist() for name, tensor in tensors.items()}
    return body if options is None else body | {"options": options}


def bounds(tensors):
    """(start, end) of each row over the flattened tokens."""
    if "cu_seqlens" in tensors:
        edges = tensors["cu_seqlens"].values.tolist()
        return list(zip(edges[:-1], edges[1:]))
    count, length = next(t for n, t in tensors.items() if n.endswith((".log_probs", ".logits", ".entropy"))).shape[:2]
    return [(b * length, (b + 1) * length) for b in range(count)]


def rollouts(tensors, options=None):
    """The JSON body with one object for each sequence."""
    rows = bounds(tensors)
    lead = 1 if "cu_seqlens" in tensors else 2
    flat = {
        name: t.values.reshape(-1, *t.shape[lead:]) if len(t.shape) >= lead and name not in PER_ROW else t.values
        for name, t in tensors.items()
    }
    per_row_advantage = "advantages" in tensors and tensors["advantages"].shape == [len(rows)]
    items = []
    for index, (start, end) in enumerate(rows):
        item = {"id": f"r{index}"}
        for name, values in flat.items():
            view, _, part = name.partition(".")
            if part and view in (*VIEWS, "old"):
                item.setdefault(view, {})[part] = values[start:end].tolist()
            elif name in ("token_ids", "response_mask", "perception_mask"):
                item[name] = values[start:end].tolist()
            elif name == "advantages":
                if per_row_advantage:
                    item["advantage"] = float(tensors[name].values[index])
                else:
                    item["advantages"] = values.reshape(-1)[start:end].tolist()
            elif name == "rewards":
                item["reward"] = float(values[index])
            elif name == "group_ids":
                item["group_id"] = int(values[index])
        items.append(item)
    body = {"rollouts": items}
    return body if options is None else body | {"options": options}


PER_ROW = ("rewards", "group_ids", "cu_seqlens")


def joined(reply, rows):
    """Flat arrays by tensor name from the reply to `rollouts`; grad.rows become positions in the whole batch.

    `advantage_scale` is one number for each sequence.
    """
    out = {}
    for (start, _), item in zip(rows, reply["rollouts"], strict=True):
        for name, values in item.items():
            if name == "grad":
                for part, inner in values.items():
                    if part == "rows":
                        out.setdefault("grad.rows", []).extend(start + r for r in inner)
                    else:
                        for kind, numbers in inner.items():
                            out.setdefault(f"grad.{part}.{kind}", []).extend(numbers)
            elif name == "weights":
                for view, numbers in values.items():
                    out.setdefault(f"weights.{view}", []).extend(numbers)
            elif name == "advantage_scale":
                out.setdefault(name, []).append(values)
            elif name not in ("id", "diagnostics", "tokens"):
                out.setdefault(name, []).extend(values)
    return {name: np.array(values) for name, values in out.items()}
