"""Reads TRL's rows and batches: the pictures, and the tokens that the model wrote.

B rollouts, T completion positions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def pictures(row: Mapping[str, Any]) -> list[Any]:
    """The pictures of a row of the data set, where TRL looks for them: `images`, `image`, or the prompt's own parts."""
    if row.get("images") is not None:
        return list(row["images"])
    if row.get("image") is not None:
        return [row["image"]]
    prompt = row.get("prompt")
    messages = prompt if isinstance(prompt, list) else []
    parts = [p for m in messages if isinstance(m.get("content"), list) for p in m["content"]]
    return [p["image"] for p in parts if p.get("type") == "image" and p.get("image") is not None]


def response(batch: Mapping[str, Any]) -> torch.Tensor:
    """Tokens that the model wrote [B,T]: no padding, nothing that tools wrote."""
    mask: torch.Tensor = batch["completion_mask"]
    return mask * batch["tool_mask"] if batch.get("tool_mask") is not None else mask


def with_pictures(row: dict[str, Any]) -> dict[str, Any]:
    """Write the missing pictures of a row as an empty list, which every release of TRL understands."""
    return row | {"images": []} if "images" in row and row["images"] is None else row


def mended(generated: Any) -> Any:
    """Do the same in what `_generate` returns, among it the pictures of every row.

    TRL 1.16 writes None for a row without pictures, which transformers refuses beside rows that have some.
    """
    if not isinstance(generated, tuple):
        return generated
    return tuple([[] if x is None else x for x in part] if _is_pictures(part) else part for part in generated)


def _is_pictures(part: Any) -> bool:
    """Whether this is a list of lists of pictures, with gaps."""
    if not isinstance(part, list) or not any(x is None for x in part):
        return False
    filled = [x for x in part if x is not None]
    return bool(filled) and all(isinstance(x, list) and x and hasattr(x[0], "getbands") for x in filled)
