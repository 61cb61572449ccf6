"""The safetensors format: u64 little-endian header length, JSON header, data without gaps.

This package has its own reader because it needs the header's metadata, and BF16, which NumPy does not have.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import BrokenReply

MEDIA_TYPE = "application/x-safetensors"
Buffer = bytes | bytearray | memoryview

_NUMPY: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}
NAMES = {dtype: name for name, dtype in _NUMPY.items()}
SIZES = {name: dtype.itemsize for name, dtype in _NUMPY.items()} | {"BF16": 2}


@dataclass(frozen=True)
class Stored:
    """A tensor as it is in a file: element type, shape, bytes."""

    dtype: str
    shape: tuple[int, ...]
    data: Buffer

    @classmethod
    def of(cls, array: np.ndarray[Any, Any]) -> Stored:
        """Store an array of an element type that safetensors and NumPy share."""
        name = NAMES.get(array.dtype) or NAMES[array.dtype.newbyteorder("<")]
        flat = np.ascontiguousarray(
            array, array.dtype.newbyteorder("<") if array.dtype.byteorder == ">" else None
        )
        return cls(name, array.shape, flat.reshape(-1).view(np.uint8).data)

    @property
    def array(self) -> np.ndarray[Any, Any]:
        """The numbers, without a copy. BF16 becomes F32."""
        if self.dtype == "BF16":
            wide = np.frombuffer(self.data, "<u2").astype("<u4") << 16
            return wide.view(np.dtype("<f4")).reshape(self.shape)
        return np.frombuffer(self.data, _NUMPY[self.dtype]).reshape(self.shape)


def _rank(item: tuple[str, Stored]) -> tuple[bool, int]:
    # Logits last: the server reduces them as they arrive when it knows ids and mask before. Wide types first, so
    # that data stays aligned.
    name, tensor = item
    return name.rpartition(".")[2] == "logits", -SIZES[tensor.dtype]


def encode(tensors: Mapping[str, Stored], metadata: Mapping[str, str] | None = None) -> list[Buffer]:
    """Return the file in pieces, none of them copied. Complexity: linear in the number of tensors."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    pieces: list[Buffer] = []
    offset = 0
    for name, tensor in sorted(tensors.items(), key=_rank):
        end = offset + len(tensor.data)
        header[name] = {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": (offset, end)}
        pieces.append(tensor.data)
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return [struct.pack("<Q", len(text)) + text, *pieces]


def decode(data: Buffer) -> tuple[dict[str, Stored], dict[str, str]]:
    """Return (tensors, metadata) of a file; the tensors are views of `data`.

    Raises:
        BrokenReply: this is not a safetensors file, or it is cut off.
    """
    try:
        view = memoryview(data)
        (length,) = struct.unpack_from("<Q", view)
        header = json.loads(bytes(view[8 : 8 + length]))
        metadata = header.pop("__metadata__", {})
        body = view[8 + length :]
        tensors: dict[str, Stored] = {}
        for name, entry in header.items():
            start, end = entry["data_offsets"]
            shape, dtype = tuple(entry["shape"]), entry["dtype"]
            if end > len(body) or end - start != math.prod(shape) * SIZES[dtype]:
                raise ValueError(f"{name} does not fit")
            tensors[name] = Stored(dtype, shape, body[start:end])
        return tensors, metadata
    except (ValueError, KeyError, TypeError, struct.error, AttributeError) as error:
        raise BrokenReply(f"the answer is no safetensors file: {error}") from error
