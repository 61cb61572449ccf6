"""Writes options in the contract's form: JSON in a body's metadata, words in a query."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .arrays import is_array

# The words trainers use for tensors of the contract. Only for messages.
_TRAINERS_WORDS = {
    "mask": "response_mask",
    "action_mask": "response_mask",
    "completion_mask": "response_mask",
    "loss_mask": "response_mask",
    "labels": "token_ids",
    "input_ids": "token_ids",
    "responses": "token_ids",
    "completion_ids": "token_ids",
    "entropies": "entropy",
    "logprobs": "log_probs",
    "logps": "log_probs",
    "per_token_logps": "log_probs",
    "old_log_probs": "old",
    "old_per_token_logps": "old",
    "ref_log_prob": "reference",
    "ref_log_probs": "reference",
    "ref_per_token_logps": "reference",
    "returns": "advantages",
    "uid": "group_ids",
}


def plain(value: Any) -> Any:
    """Convert a value to JSON: NumPy and torch scalars become numbers, tuples and sets lists, None null."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(plain(v) for v in value)
    if isinstance(value, np.ndarray) or is_array(value):
        return value.tolist()
    if hasattr(value, "item"):
        return value.item()
    if isinstance(value, Iterable):
        return [plain(v) for v in value]
    raise TypeError(f"{value!r} is no option's value")


def checked(options: Mapping[str, Any], tensors: Iterable[str]) -> dict[str, Any]:
    """Convert options to JSON. An array is a misspelt tensor; it is refused with the nearest name.

    The server checks the names of options: it suggests the nearest one, and a newer server knows more of them.
    """
    names = sorted(tensors)
    for name, value in options.items():
        if is_array(value):
            near = _TRAINERS_WORDS.get(name) or next(iter(difflib.get_close_matches(name, names, 1)), None)
            hint = f"; did you mean {near}?" if near else ""
            raise TypeError(f"{name}: there is no tensor of this name{hint} There are {', '.join(names)}.")
    return {name: plain(value) for name, value in options.items()}


def metadata(options: Mapping[str, Any]) -> dict[str, str]:
    """Return the metadata that carries options in a safetensors file."""
    return {"options": json.dumps(options)} if options else {}


def query(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Write parameters as a query: lists of words with commas, null as `none`, objects as JSON."""
    words: dict[str, str] = {}
    for name, raw in parameters.items():
        value = plain(raw)
        if value is None:
            words[name] = "none"
        elif isinstance(value, bool):
            words[name] = "true" if value else "false"
        elif isinstance(value, list) and all(isinstance(v, str) for v in value):
            words[name] = ",".join(value)
        elif isinstance(value, list | dict):
            words[name] = json.dumps(value)
        else:
            words[name] = str(value)
    return words


def text(tokens: Any) -> str:
    """Return the tokens' texts as JSON, for the metadata `tokens`."""
    return json.dumps(plain(tokens))
