"""The loss's numbers for verl's loggers: `actor/perception/…` in wandb, TensorBoard and the console."""

from __future__ import annotations

from typing import Any

from verl.utils.metric import AggregationType, Metric

from ...results import Score
from ..reporting import PREFIX, metrics
from .rows import Carrying

# Parts of the mini-batch that add up over micro-batches and ranks; everything else is averaged.
PARTS = ("loss", "objective", "tokens", "candidates", "selected", "gated")


def numbers(score: Score, skipped: int, ranks: int, carrying: Carrying) -> dict[str, Any]:
    """Return the numbers of one micro-batch.

    verl adds `SUM` metrics up over micro-batches and takes their mean over ranks, so that parts are multiplied by the
    ranks first. `server_ms` is the time that one rank's server spent on one optimizer step.

    Args:
        score: of the micro-batch.
        skipped: losses that this worker has skipped so far.
        ranks: data-parallel ranks.
        carrying: which rows carried loss.
    """
    found: dict[str, Any] = {}
    for name, value in metrics(score, skipped).items():
        short = name.removeprefix(PREFIX)
        if short in PARTS:
            found[name] = Metric(AggregationType.SUM, value * ranks)
        elif short == "server_ms":
            found[name] = Metric(AggregationType.SUM, value)
        else:
            found[name] = value
    return found | of_rows(carrying)


def of_rows(carrying: Carrying) -> dict[str, Any]:
    """Return the numbers of a micro-batch's rows, scored or not."""
    return {
        f"{PREFIX}rows_without_views": float(carrying.skipped),
        f"{PREFIX}views_waited_s": carrying.waited,
    }
