"""The named tensors of a request, from keyword arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import arrays, torch_arrays
from .safetensors_file import Stored

PerView = Mapping[str, Any]
TENSORS = (
    "log_probs", "entropy", "logits", "top_log_probs", "token_ids", "response_mask", "advantages", "rewards",
    "group_ids", "cu_seqlens", "old", "reference", "perception_mask", "has_views",
)  # fmt: skip
_PER_VIEW = frozenset({"log_probs", "entropy", "logits", "top_log_probs"})
_LOG_PROBS_OF = frozenset({"old", "reference"})


def named(given: Mapping[str, Any]) -> dict[str, Any]:
    """Map keyword arguments to the contract's names, leaving out those that are None.

    `log_probs={"original": a}` becomes `original.log_probs`, `old=x` becomes `old.log_probs`.
    """
    result: dict[str, Any] = {}
    for name, value in given.items():
        if value is None:
            continue
        if name in _LOG_PROBS_OF:
            result[f"{name}.log_probs"] = value
        elif name not in _PER_VIEW:
            result[name] = value
        elif isinstance(value, Mapping):
            result.update({f"{view}.{name}": v for view, v in value.items() if v is not None})
        elif name == "logits":
            result[name] = value
        else:
            raise TypeError(f'{name}: expected one for each view, such as {{"original": …}}')
    return result


def stored(named: Mapping[str, Any]) -> dict[str, Stored]:
    """Convert named tensors to bytes. Tensors on the same CUDA device are copied together."""
    if any(arrays.is_torch(v) and torch_arrays.is_away(v) for v in named.values()):
        named = torch_arrays.gathered(named)
    return {name: arrays.stored(name, value) for name, value in named.items()}
