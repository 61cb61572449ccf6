"""The columns that a batch's rows carry to the loss, which one rank computes for all.

The rows of a rollout, its own and those of its views, may be on several data-parallel ranks. B rollouts with views, T
tokens of the longest response; a row has R response tokens.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.distributed as dist

from ...errors import PerceptionError
from ...losses import _passes
from .. import modes, reporting, shaping
from .state import State

log = logging.getLogger("perception_client")
Key = tuple[int, str]


@dataclass(frozen=True)
class Row:
    """What one sample's rank knows about it: tensors [R] in main memory."""

    rollout: int
    view: str
    log_probs: torch.Tensor
    entropy: torch.Tensor | None
    mask: torch.Tensor
    reward: float


@dataclass(frozen=True)
class Found:
    """The results for a batch of rollouts.

    Attributes:
        columns: tensors [R] for each row, by rollout and view: in mode `rows` its weights; in mode `detached`, of the
            rollouts' own rows, the log-probabilities under each other view.
        factors: [R] by rollout, of its advantages in the policy loss; none unless the preset changes that.
        numbers: for the log.
    """

    columns: dict[Key, tuple[torch.Tensor, ...]] = field(default_factory=dict)
    factors: dict[int, torch.Tensor] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)


def together(find: Callable[[list[Any]], Any], rows: list[Any], group: Any) -> Any:
    """Gather the rows of all ranks, call `find` on the first rank, and return or raise its outcome on all."""
    parts: list[Any] = [None] * dist.get_world_size(group)
    dist.all_gather_object(parts, rows, group=group)
    outcome: list[Any] = [None]
    if dist.get_rank(group) == 0:
        try:
            outcome = [find([row for part in parts for row in part])]
        except Exception as error:
            outcome = [error]
    dist.broadcast_object_list(outcome, src=dist.get_global_rank(group, 0), group=group)
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def find(own: State, rows: Sequence[Row]) -> Found:
    """Compute the rows' columns; none if the server cannot be reached and errors are skipped."""
    try:
        return _Batch(own, rows).found()
    except PerceptionError as error:
        if not own.skip or not _passes(error):
            raise
        own.client.skipped += 1
        log.warning("this batch of rollouts has no perception loss: %s", error)
        return Found(numbers={f"{reporting.PREFIX}skipped": float(own.client.skipped)})


class _Batch:
    """The rollouts whose rows are there under every view."""

    def __init__(self, own: State, rows: Sequence[Row]) -> None:
        self.own = own
        self.views = ("original", *own.wanted.others)
        self.rows = {(row.rollout, row.view): row for row in rows}
        self.part = [
            r.rollout
            for r in rows
            if r.view == "original" and all((r.rollout, v) in self.rows for v in self.views)
        ]

    def found(self) -> Found:
        if not self.part:
            return Found()
        factors = self._factors() if self.own.wanted.shaping else {}
        if self.own.settings.mode == "rows":
            columns, numbers = self._weights()
            return Found(columns, factors, numbers)
        others = self.own.wanted.others
        columns = {(i, "original"): tuple(self.rows[i, view].log_probs for view in others) for i in self.part}
        return Found(columns, factors)

    def _wide(self, name: str, view: str) -> torch.Tensor:
        values = [getattr(self.rows[i, view], name) for i in self.part]
        return torch.nn.utils.rnn.pad_sequence(values, batch_first=True)

    def _weights(self) -> tuple[dict[Key, tuple[torch.Tensor, ...]], dict[str, float]]:
        own = self.own
        arguments: dict[str, Any] = {"response_mask": self._wide("mask", "original"), **own.settings.loss}
        if own.wanted.advantages:
            arguments["advantages"] = torch.tensor([self.rows[i, "original"].reward for i in self.part])
        passes = {
            view: modes.Pass(
                self._wide("log_probs", view),
                self._wide("entropy", view) if view in own.wanted.entropy else None,
            )
            for view in self.views
        }
        weights = modes.rows(own.client, passes, **arguments).weights
        columns = {
            (i, view): (weight[k, : len(self.rows[i, view].log_probs)],)
            for view, weight in weights.items()
            for k, i in enumerate(self.part)
        }
        return columns, reporting.metrics(own.client.last, own.client.skipped)

    def _factors(self) -> dict[int, torch.Tensor]:
        own = self.own
        mask = self._wide("mask", "original")
        shape = shaping.shape(
            own.client,
            own.wanted,
            own.settings.loss,
            log_probs={v: self._wide("log_probs", v) for v in own.wanted.old},
            response_mask=mask,
        )
        ones = torch.ones(mask.shape)
        factors = shape.advantages(ones, torch.ones(len(mask), dtype=torch.bool), mask.shape[1])
        return {i: factors[k, : len(self.rows[i, "original"].mask)] for k, i in enumerate(self.part)}
