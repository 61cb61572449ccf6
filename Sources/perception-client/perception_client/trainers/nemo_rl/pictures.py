"""The pictures of a batch, which NeMo-RL carries as the model's inputs alone, and the same inputs under each view.

A batch of B rows has `pixel_values` and `image_grid_thw` as `PackedTensor`s with one entry for each row: of all the row's
pictures, None for text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from .. import resizing
from ..prompt_views import Pending, PromptViews, RowViews, digest
from ..resizing import GRID, PIXELS


class BatchViews:
    """Makes the inputs of a batch under each view.

    Args:
        views: makes views of pictures that are resized already.
        processor: the model's.
    """

    def __init__(self, views: PromptViews, processor: Any) -> None:
        self.views = views
        self.processor = processor
        self._restored: dict[str, list[torch.Tensor]] = {}

    def start(self, data: Any, step: int) -> Pending:
        """Begin to make the views of a batch's pictures; nothing is drawn for a batch of text."""
        found: dict[str, list[torch.Tensor]] = {}
        rows: list[list[torch.Tensor]] = []
        for pixels, grid in _inputs(data):
            if pixels is None:
                rows.append([])
                continue
            key = digest(pixels)
            if key not in found:
                found[key] = self._restored.get(key) or resizing.restored(self.processor, pixels, grid)
            rows.append(found[key])
        # A batch comes twice: for its log-probabilities and for the training step.
        self._restored = found
        return self.views.start(rows, step)

    def under(self, data: Any, made: RowViews, view: str) -> list[torch.Tensor | None]:
        """Return each row's `pixel_values` under a view, of the type and shape of the batch's own."""
        pictures = {id(p): p for row in made.pictures[view] for p in row}
        features = dict(
            zip(pictures, resizing.features(self.processor, list(pictures.values())), strict=True)
        )
        found: list[torch.Tensor | None] = []
        for (pixels, grid), row in zip(_inputs(data), made.pictures[view], strict=True):
            if pixels is None:
                found.append(None)
                continue
            own = resizing.joined([features[id(p)] for p in row])
            resizing.check_grids({view: own}, grid)
            found.append(own[PIXELS].to(pixels.dtype))
        return found


def carries(data: Any) -> torch.Tensor:
    """Return which rows of a batch have pictures: bool [B]."""
    return torch.tensor([pixels is not None for pixels, _ in _inputs(data)])


def _inputs(data: Any) -> Sequence[tuple[torch.Tensor | None, torch.Tensor | None]]:
    pixels = data[PIXELS].tensors if PIXELS in data else [None] * data.size
    grids = data[GRID].tensors if GRID in data else [None] * data.size
    return list(zip(pixels, grids, strict=True))
