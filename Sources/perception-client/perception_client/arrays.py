"""Converts NumPy, torch and JAX arrays, and lists, to the contract's tensors.

A tensor's name decides which conversions are allowed: masks may be floats, advantages may be integers or [B,1], group
ids may be text. No conversion silently changes what a number means.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from .safetensors_file import NAMES, Stored

MASKS = frozenset({"response_mask", "perception_mask", "has_views"})
PER_SEQUENCE = frozenset({"advantages", "rewards"})
IDENTIFIERS = frozenset({"token_ids", "cu_seqlens"})
_FLOATS = {"F64", "F32", "F16", "BF16"}


def is_torch(value: object) -> bool:
    """Whether this is a torch tensor, without importing torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_jax(value: object) -> bool:
    """Whether this is a JAX array, without importing JAX."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(value, jax.Array)


def is_brain(value: Any) -> bool:
    """Whether this is a torch tensor of bfloat16."""
    return is_torch(value) and str(value.dtype) == "torch.bfloat16"


def is_array(value: object) -> bool:
    """Whether this is an array of any kind. NumPy scalars and 0-dimensional tensors are not."""
    shape = getattr(value, "shape", None)
    return hasattr(value, "dtype") and shape is not None and len(shape) > 0


def host(value: Any) -> Stored:
    """Return a value as a contiguous NumPy array of its own element type; lists become F64 or I64."""
    if is_torch(value):
        from . import torch_arrays

        return torch_arrays.stored(value)
    array: np.ndarray[Any, Any] = np.asarray(value)
    if array.dtype in NAMES:
        return Stored.of(array)
    if array.dtype.name == "bfloat16":
        return Stored("BF16", array.shape, Stored.of(array.view(np.int16)).data)
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    elif array.dtype.kind == "f" and array.dtype.itemsize < 2:
        array = array.astype(np.float32)
    elif array.dtype.kind == "u" and array.dtype.itemsize > 1:
        array = array.astype(np.int64)
    elif array.dtype.kind not in "fiub":
        raise TypeError(f"an array of {array.dtype} holds no numbers the server understands")
    return Stored.of(array)


def stored(name: str, value: Any) -> Stored:
    """Convert a value to the contract's tensor of that name.

    Raises:
        TypeError, ValueError: the value does not fit this tensor, which the message names.
    """
    try:
        if name == "group_ids":
            return _groups(value)
        tensor = host(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from error
    if name in MASKS:
        mask = _mask(name, tensor)
        single = name == "has_views" and len(mask.shape) == 2 and mask.shape[1] == 1
        return Stored(mask.dtype, mask.shape[:1], mask.data) if single else mask
    if name in PER_SEQUENCE:
        tensor = _floating(tensor)
        if len(tensor.shape) == 2 and tensor.shape[1] == 1:
            return Stored(tensor.dtype, tensor.shape[:1], tensor.data)
        return tensor
    if name in IDENTIFIERS:
        if tensor.dtype in _FLOATS:
            raise TypeError(f"{name}: whole numbers are expected, not {tensor.dtype}")
        return tensor
    return _floating(tensor)


def _floating(tensor: Stored) -> Stored:
    return tensor if tensor.dtype in _FLOATS else Stored.of(tensor.array.astype(np.float32))


def _mask(name: str, tensor: Stored) -> Stored:
    if tensor.dtype not in _FLOATS:
        return tensor
    array = tensor.array
    flags = array != 0
    if not np.array_equal(flags, array):
        raise ValueError(f"{name}: a mask holds 0 and 1, not {array[flags != array].flat[0]}")
    return Stored.of(flags)


def _groups(value: Any) -> Stored:
    array: np.ndarray[Any, Any] = np.asarray(value) if not is_torch(value) else value.detach().cpu().numpy()
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.dtype.kind in "OUS":
        # Names become numbers: only equality counts.
        numbers: dict[Any, int] = {}
        array = np.array([numbers.setdefault((type(x), x), len(numbers)) for x in array.tolist()], np.int64)
    if array.dtype.kind not in "iub":
        raise TypeError(f"whole numbers or text are expected, not {array.dtype}")
    return Stored.of(array.astype(np.int64))
