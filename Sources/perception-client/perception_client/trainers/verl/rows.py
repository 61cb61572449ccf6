"""The views on their way from the agent loop to the engine: further keys of a row's `multi_modal_inputs`.

verl concatenates each key over the rows of a micro-batch along the first dimension, whatever the key, and hands all of
them to the model. So the engine takes these out again. A row without pictures has none of them.

| key | value |
|---|---|
| `perception.VIEW.pixel_values` | the model's `pixel_values` of the row's pictures under that view |
| `perception.carries` | bool [1]; false if making the views was skipped and they are the originals |
| `perception.waited` | seconds [1] that the agent loop waited for them |
| `perception.failure` | UTF-8 bytes: why there are none. The engine raises it |

Presets that change the policy loss add columns [B,T] of tokens to the batch itself; see `advantages`.

| column | value |
|---|---|
| `perception_own_advantages` | verl's advantages, which the loss's gate looks at |
| `perception_old_VIEW` | the old policy's log-probabilities under a view of `Needs.kept` |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import torch

from ..prompt_views import RowViews
from ..resizing import PIXELS

PREFIX = "perception."
OWN_ADVANTAGES, OLD = "perception_own_advantages", "perception_old_"
CARRIES, WAITED, FAILURE = f"{PREFIX}carries", f"{PREFIX}waited", f"{PREFIX}failure"


class ViewsMissing(RuntimeError):
    """A row has pictures and no views of them."""


@dataclass(frozen=True)
class Carrying:
    """Which rows of a micro-batch can carry loss.

    Attributes:
        rows: bool [B].
        skipped: the number of rows with pictures whose views were skipped.
        waited: the longest time in seconds that the agent loop waited for a row's views.
    """

    rows: torch.Tensor
    skipped: int
    waited: float


def carried(made: RowViews, row: int = 0) -> dict[str, torch.Tensor]:
    """Return the keys of a row with pictures."""
    views = {view: made.features(view, row) for view in made.made if view != "original"}
    pixels = {f"{PREFIX}{view}.{PIXELS}": found[PIXELS] for view, found in views.items()}
    return pixels | {
        CARRIES: torch.tensor([made.has_pictures(row)]),
        WAITED: torch.tensor([made.waited], dtype=torch.float32),
    }


def failed(error: Exception) -> dict[str, torch.Tensor]:
    """Return the key of a row whose views could not be made."""
    said = f"{type(error).__name__}: {error}".encode()
    return {FAILURE: torch.frombuffer(bytearray(said), dtype=torch.uint8)}


def carrying(inputs: Iterable[Any], views: Iterable[str]) -> Carrying:
    """Read which rows carry loss.

    Args:
        inputs: `multi_modal_inputs` of each row: a mapping or None, perhaps in tensordict's wrapper.
        views: those that the loss needs.

    Raises:
        ViewsMissing: a row's views could not be made, or were not made.
    """
    needed = [f"{PREFIX}{view}.{PIXELS}" for view in views]
    rows, skipped, waited = [], 0, 0.0
    for number, wrapped in enumerate(inputs):
        row: Mapping[str, Any] = getattr(wrapped, "data", wrapped) or {}
        if FAILURE in row:
            said = bytes(row[FAILURE].tolist()).decode("utf-8", "replace")
            raise ViewsMissing(f"the agent loop could not make a row's views: {said}")
        if row.get(PIXELS) is not None and not all(name in row for name in needed):
            raise ViewsMissing(
                f"row {number} has pictures and no views: the agent loop's workers run without this plugin. Is "
                "VERL_ENGINE_VENDOR=perception in the environment of every Ray worker?"
            )
        if CARRIES not in row:
            rows.append(False)
            continue
        rows.append(bool(row[CARRIES]))
        skipped += not rows[-1]
        waited = max(waited, float(row[WAITED]))
    return Carrying(torch.tensor(rows, dtype=torch.bool), skipped, waited)


def taken(inputs: MutableMapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Take the views out of the model's inputs: by view, then by the model's own name."""
    found: dict[str, dict[str, Any]] = {}
    for key in [k for k in inputs if k.startswith(PREFIX)]:
        value = inputs.pop(key)
        view, _, name = key.removeprefix(PREFIX).partition(".")
        if name:
            found.setdefault(view, {})[name] = value
    return found
