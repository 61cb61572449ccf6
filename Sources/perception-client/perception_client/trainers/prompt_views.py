"""Views of the pictures of a batch of rollouts, made once for each picture, in a thread, while the trainer generates.

    pending = views.start([row.images for row in rows], step)
    …                                                    # the trainer generates
    made = pending.collect()
    made.features("removing", 3)                         # of row 3, for the model

A row has any number of pictures, none for text. All rollouts of a prompt get the same views, on every rank and after a
restart, because a draw depends on the picture's content, the seed and the step alone.
"""

from __future__ import annotations

import asyncio
import copy
import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..errors import PerceptionError
from ..losses import _passes
from ..pictures import picture
from . import resizing
from .resizing import Features

if TYPE_CHECKING:
    from ..client import Perception

log = logging.getLogger("perception_client")
ORIENTATION = 0x0112  # the EXIF tag


@dataclass
class RowViews:
    """The pictures of each row under each view, `original` among them.

    Attributes:
        counts: how many pictures each row has.
        pictures: by view, then by row: the model's pictures, U8 [3,H,W] after the processor's resize, or, without a
            processor, in the caller's form.
        failed: why no views could be made, or None. The views are then the originals, and no row may carry loss.
        seconds: how long making them took.
        waited: how long `collect` waited for them, in seconds.
    """

    counts: list[int]
    pictures: dict[str, list[list[Any]]] = field(repr=False)
    made: dict[str, list[list[Features]]] = field(repr=False, default_factory=dict)
    failed: PerceptionError | None = None
    seconds: float = 0.0
    waited: float = 0.0

    def has_pictures(self, row: int) -> bool:
        """Whether a row can carry loss: it has pictures, and they have views."""
        return self.counts[row] > 0 and self.failed is None

    def features(self, view: str, row: int) -> Features:
        """Return the model's inputs for one row's pictures under one view, {} without pictures; see `resizing`."""
        return resizing.joined(self.made[view][row])

    def all_features(self, view: str) -> Features:
        """Return the model's inputs for all rows' pictures, in order."""
        return resizing.joined([f for row in self.made[view] for f in row])


class Pending:
    """Views that are being made."""

    def __init__(self, future: Future[RowViews]) -> None:
        self._future = future

    def collect(self, grids: Any = None) -> RowViews:
        """Wait for the views.

        Args:
            grids: the trainer's own `image_grid_thw` [n,3] of all rows' pictures, which the views' must equal.

        Raises:
            ValueError: the grids differ.
        """
        start = time.perf_counter()
        return self._checked(self._future.result(), start, grids)

    async def collected(self, grids: Any = None) -> RowViews:
        """Wait for the views in a coroutine, as `collect` does."""
        start = time.perf_counter()
        return self._checked(await asyncio.wrap_future(self._future), start, grids)

    def _checked(self, found: RowViews, start: float, grids: Any) -> RowViews:
        found.waited = time.perf_counter() - start
        if grids is not None:
            resizing.check_grids({v: found.all_features(v) for v in found.made}, grids)
        return found


class PromptViews:
    """Makes views of the pictures of rollouts.

    Args:
        client: sends the requests. With `on_error="skip"`, originals replace views that cannot be made. This is
            counted, logged, and reported in `RowViews.failed`.
        recipes: the recipe of each view.
        processor: the model's processor. Views are made after its resize, and `features` has the model's inputs.
            Without one, the caller has resized the pictures, and gets pictures back.
        seed: of the draws, which also depend on step and content.
        per_rollout: draw anew for every row.
        setting: further arguments of `Perception.views`, such as `alpha`.
    """

    def __init__(
        self,
        client: Perception,
        recipes: Mapping[str, Any],
        *,
        processor: Any = None,
        seed: int = 0,
        per_rollout: bool = False,
        **setting: Any,
    ) -> None:
        self.client = client
        self.recipes = dict(recipes)
        # The trainer uses its own from another thread at the same time.
        self.processor = None if processor is None else copy.copy(resizing.image_processor(processor))
        self.seed = seed
        self.per_rollout = per_rollout
        self.setting = setting
        self._verified = False
        self._thread: ThreadPoolExecutor | None = None

    def start(self, rows: Sequence[Sequence[Any]], step: int) -> Pending:
        """Begin to make the views of each row's pictures; `step` is the trainer's."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "perception-views")
        return Pending(self._thread.submit(self.make, [list(row) for row in rows], step))

    def make(self, rows: Sequence[Sequence[Any]], step: int) -> RowViews:
        """Make them now."""
        begin = time.perf_counter()
        flat = [x for row in rows for x in row]
        # Trainers repeat a prompt for each of its rollouts, and data sets decode it anew each time.
        digests = [digest(x) for x in flat]
        distinct = dict(zip(digests, flat, strict=True))
        place = {d: i for i, d in enumerate(distinct)}
        originals = self._resized(list(distinct.values()))
        repeated = [originals[place[d]] for d in digests]
        drawn, failed = self._drawn(repeated if self.per_rollout else originals, step)
        if not self.per_rollout:
            drawn = {view: [found[place[d]] for d in digests] for view, found in drawn.items()}
        by_view = {"original": repeated, **drawn}
        made = {view: self._features(found) for view, found in by_view.items()} if self.processor else {}
        counts = [len(row) for row in rows]
        return RowViews(
            counts,
            {view: _by_row(found, counts) for view, found in by_view.items()},
            {view: _by_row(found, counts) for view, found in made.items()},
            failed,
            time.perf_counter() - begin,
        )

    def close(self) -> None:
        """End the thread after it has made the views that were begun."""
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_thread": None}

    def _resized(self, pictures: list[Any]) -> list[Any]:
        if self.processor is None or not pictures:
            return pictures
        if not self._verified:
            resizing.verify(self.processor, pictures[0])
            self._verified = True
        return resizing.resized(self.processor, pictures)

    def _drawn(self, pictures: list[Any], step: int) -> tuple[dict[str, list[Any]], PerceptionError | None]:
        if not pictures or not self.recipes:
            return {view: list(pictures) for view in self.recipes}, None
        try:
            views = self.client.views(
                pictures, (self.seed << 32) + step, self.recipes, per_rollout=self.per_rollout, **self.setting
            )
        except PerceptionError as error:
            if self.client.on_error == "raise" or not _passes(error):
                raise
            self.client.skipped += 1
            log.warning("no views, so that this batch has no perception loss: %s", error)
            return {view: list(pictures) for view in self.recipes}, error
        return dict(views), None

    def _features(self, pictures: list[torch.Tensor]) -> list[Features]:
        # Equal tensors are one object here: each is processed once.
        distinct = {id(x): x for x in pictures}
        made = dict(zip(distinct, resizing.features(self.processor, list(distinct.values())), strict=True))
        return [made[id(x)] for x in pictures]


def digest(value: Any) -> str:
    """Return a digest of everything that a processor can read of a picture."""
    if not hasattr(value, "getbands"):
        if hasattr(value, "detach"):
            value = value.detach().cpu().numpy()
        if hasattr(value, "dtype"):
            array = np.ascontiguousarray(value)
            return hashlib.sha256(f"{array.dtype}{array.shape}".encode() + array.tobytes()).hexdigest()
        return picture(value).digest
    about = (value.mode, value.size, value.info.get("transparency"), value.getexif().get(ORIENTATION))
    digest = hashlib.sha256(repr(about).encode() + value.tobytes())
    if value.mode == "P":
        digest.update(bytes(value.getpalette() or ()))
    return digest.hexdigest()


def _by_row(found: Sequence[Any], counts: Sequence[int]) -> list[list[Any]]:
    items = iter(found)
    return [[next(items) for _ in range(n)] for n in counts]
