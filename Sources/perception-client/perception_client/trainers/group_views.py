"""Views for code that runs each rollout of a prompt separately, at the same time: one draw for the whole group.

    with groups.episode() as episode:
        episode.add(pictures)                            # before the rollout generates; and for each turn's pictures
        …                                                # the rollout generates
        views = await episode.features(own)              # `own`: what the trainer gives its model

The views are made in a thread while the rollouts generate, once for all rollouts of a group, which are found by their
pictures' content, and forgotten when the last of them has ended.
"""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch

from . import resizing
from .prompt_views import Pending, PromptViews, RowViews, digest
from .resizing import GRID, Features

_CURRENT: ContextVar[Episode | None] = ContextVar("perception_episode", default=None)


@dataclass(frozen=True)
class Made:
    """The views of one rollout.

    Attributes:
        features: of each view, of all the rollout's pictures in order; {} without pictures.
        failed: no views could be made: the features are the original's, and the rollout must carry no loss.
        waited: seconds that the rollout waited for them when it had generated.
    """

    features: dict[str, Features] = field(repr=False)
    failed: bool = False
    waited: float = 0.0


class GroupViews:
    """Makes the views of rollouts, once for each group.

    Args:
        views: makes the views.

    Raises:
        ValueError: `per_rollout` is set.
    """

    def __init__(self, views: PromptViews) -> None:
        if views.per_rollout:
            raise ValueError(
                "per_rollout: this trainer runs each rollout for itself, and a prompt's rollouts get the same views: "
                "leave per_rollout at 0"
            )
        self.views = views
        self._live: weakref.WeakValueDictionary[tuple[str, ...], Pending] = weakref.WeakValueDictionary()
        self._draws: dict[tuple[str, ...], int] = {}

    @contextlib.contextmanager
    def episode(self, step: int | None = None) -> Iterator[Episode]:
        """Begin a rollout. Within it, `current()` finds the episode, in the same coroutine.

        Args:
            step: the trainer's. Default: how often this process has drawn for the same pictures, because the rollout
                workers of some trainers do not know the step.
        """
        episode = Episode(self, step)
        token = _CURRENT.set(episode)
        try:
            yield episode
        finally:
            _CURRENT.reset(token)

    def start(self, pictures: Sequence[Any], step: int | None) -> Pending:
        """Begin to make the views of a turn's pictures, unless another rollout of the group has begun."""
        key = tuple(digest(x) for x in pictures)
        pending = self._live.get(key)
        if pending is None:
            if step is None:
                step = self._draws.get(key, 0)
                self._draws[key] = step + 1
            pending = self._live[key] = self.views.start([list(pictures)], step)
        return pending


class Episode:
    """One rollout, and the views of the pictures of each of its turns."""

    def __init__(self, groups: GroupViews, step: int | None) -> None:
        self._groups = groups
        self._step = step
        self._turns: list[Pending] = []

    def add(self, pictures: Sequence[Any]) -> None:
        """Begin to make the views of pictures that the prompt or a later turn brings."""
        if pictures:
            self._turns.append(self._groups.start(pictures, self._step))

    async def features(self, own: Mapping[str, Any] | None) -> Made:
        """Wait for the views of all pictures.

        Args:
            own: what the trainer gives its model of the rollout's pictures: `image_grid_thw` [n,3] among it. None for a
                rollout without pictures.

        Raises:
            ValueError: the rollout's pictures are not those that were added.
        """
        turns = [await pending.collected() for pending in self._turns]
        names = self._groups.views.recipes
        grids = None if own is None else own.get(GRID)
        if grids is None and not turns:
            return Made({view: {} for view in names})
        wanted = 0 if grids is None else len(grids)
        taken: list[RowViews] = []
        # Trainers drop the pictures of a last turn that has no room.
        while sum(t.counts[0] for t in taken) < wanted and len(taken) < len(turns):
            taken.append(turns[len(taken)])
        if sum(t.counts[0] for t in taken) != wanted:
            raise ValueError(
                f"the rollout has {wanted} pictures, and views were begun for {sum(t.counts[0] for t in turns)}: add "
                "the pictures of every turn to the episode, those of the prompt and those that tools return"
            )
        features = {view: resizing.joined([t.features(view, 0) for t in taken]) for view in names}
        resizing.check_grids(features, torch.as_tensor(grids))
        return Made(features, any(t.failed for t in taken), max(t.waited for t in taken))


def current() -> Episode | None:
    """Return the rollout that this coroutine runs."""
    return _CURRENT.get()
