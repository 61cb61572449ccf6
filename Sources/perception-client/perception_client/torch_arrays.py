"""Converts torch tensors to bytes and back. CUDA tensors are copied together, once in each direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .safetensors_file import Stored


def _torch() -> Any:
    import torch

    return torch


def is_away(tensor: Any) -> bool:
    """Whether a tensor is outside this process's memory and must be copied."""
    return bool(tensor.device.type != "cpu")


def stored(tensor: Any) -> Stored:
    """Copy one tensor to the CPU: detached, contiguous, of its own element type (float8 becomes F32)."""
    torch = _torch()
    tensor = tensor.detach()
    names = {
        torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
        torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8",
        torch.bool: "BOOL",
    }  # fmt: skip
    if tensor.dtype not in names:
        if not tensor.dtype.is_floating_point:
            raise TypeError(f"a tensor of {tensor.dtype} holds no numbers the server understands")
        tensor = tensor.float()
    flat = tensor.cpu().contiguous().reshape(-1)
    data = memoryview(flat.view(torch.uint8).numpy()) if flat.numel() else memoryview(b"")
    return Stored(names[tensor.dtype], tuple(tensor.shape), data)


def gathered(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """Move the tensors of each CUDA device to the CPU in one copy, as byte ranges of one buffer.

    Tensors on the CPU and other values are unchanged. Offsets are multiples of 16, so that each range can be viewed as
    its own element type.
    """
    torch = _torch()
    result = dict(tensors)
    devices: dict[Any, list[str]] = {}
    for name, value in tensors.items():
        if isinstance(value, torch.Tensor) and is_away(value):
            devices.setdefault(value.device, []).append(name)
    for names in devices.values():
        parts, spans, offset = [], [], 0
        for name in names:
            raw = tensors[name].detach().contiguous().reshape(-1).view(torch.uint8)
            padding = -raw.numel() % 16
            spans.append((name, offset, raw.numel()))
            parts.append(torch.nn.functional.pad(raw, (0, padding)) if padding else raw)
            offset += raw.numel() + padding
        packed = torch.cat(parts).cpu()
        for name, start, length in spans:
            original = tensors[name]
            result[name] = packed[start : start + length].view(original.dtype).reshape(original.shape)
    return result


def returned(arrays: Sequence[Stored | np.ndarray[Any, Any] | None], like: Sequence[Any]) -> list[Any]:
    """Turn arrays of one element type into tensors on the devices and of the element types of `like`; None stays None.

    Arrays for the same CUDA device are copied as one buffer. On the CPU an array is not copied if its element type is
    right and its memory is writable.
    """
    torch = _torch()
    tensors: list[Any] = [None if array is None else _tensor(array) for array in arrays]
    devices: dict[Any, list[int]] = {}
    for index, tensor in enumerate(tensors):
        if tensor is not None and is_away(like[index]):
            devices.setdefault(like[index].device, []).append(index)
    for device, indices in devices.items():
        packed = torch.cat([tensors[i].reshape(-1) for i in indices]).to(device)
        for i, part in zip(indices, packed.split([tensors[i].numel() for i in indices]), strict=True):
            tensors[i] = part.reshape(tensors[i].shape)
    return [None if t is None else t.to(like[i].dtype) for i, t in enumerate(tensors)]


def _tensor(array: Stored | np.ndarray[Any, Any]) -> Any:
    torch = _torch()
    brain = isinstance(array, Stored) and array.dtype == "BF16"
    if isinstance(array, Stored):
        array = np.frombuffer(array.data, "<i2").reshape(array.shape) if brain else array.array
    tensor = torch.from_numpy(np.require(array, requirements=["C", "A", "W"]))
    return tensor.view(torch.bfloat16) if brain else tensor
