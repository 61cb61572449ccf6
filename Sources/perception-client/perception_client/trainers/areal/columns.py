"""The views of rollouts as columns of AReaL's batches.

AReaL splits, reorders and moves every column that begins with `multi_modal_input` as a list with one entry for each row.
It passes all of them but `multi_modal_input` itself to the model, so the engine removes them first. An entry holds the
model's inputs for the row's pictures under that view; {} for a row without pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from ..resizing import GRID, PIXELS, Features

OWN = "multi_modal_input"
PREFIX = f"{OWN}_view_"
FAILED = "failed"
MISSING = (
    "this batch has rows with pictures and without views of them: let the rollouts come from "
    "perception_client.trainers.areal.PerceptionVisionRLVRWorkflow, or put PerceptionMixin before your own workflow"
)


def columns(views: Mapping[str, Features], *, failed: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Return the columns of one row.

    Args:
        views: the row's features by view, empty for a row without pictures.
        failed: these are the original's, because there are no views: the row must carry no loss.
    """
    mark: dict[str, Any] = {FAILED: True} if failed else {}
    return {PREFIX + view: [dict(features) | mark if features else {}] for view, features in views.items()}


@dataclass(frozen=True)
class Views:
    """The views of one micro-batch of B rows.

    Attributes:
        pixels: the model's `pixel_values` of all rows' pictures under each view [ΣP,D].
        carries: for each row, whether it has pictures and views of them.
    """

    pixels: dict[str, torch.Tensor]
    carries: list[bool]


def taken(batch: dict[str, Any], device: Any) -> Views | None:
    """Remove the views from the model's inputs and return them; None if there are none.

    Args:
        batch: AReaL's padded micro-batch. It is changed.
        device: the model's device.

    Raises:
        ValueError: a view has a different number of image tokens from the trainer's own pictures.
    """
    names = [name for name in batch if name.startswith(PREFIX)]
    found = {name.removeprefix(PREFIX): batch.pop(name) for name in names}
    own = batch.get(GRID)
    if not found or own is None:
        return None
    pixels = {}
    for view, entries in found.items():
        full = [e for e in entries if PIXELS in e]
        grids = torch.cat([e[GRID] for e in full]) if full else torch.empty(0, 3, dtype=own.dtype)
        if len(grids) < len(own):
            raise ValueError(MISSING)
        if not torch.equal(grids.to(own), own):
            raise ValueError(
                f"{view}: image_grid_thw is {grids.tolist()}, and {own.tolist()} for the trainer's own"
            )
        pixels[view] = torch.cat([e[PIXELS] for e in full]).to(device)
    first = next(iter(found.values()))
    return Views(pixels, [PIXELS in e and not e.get(FAILED) for e in first])
