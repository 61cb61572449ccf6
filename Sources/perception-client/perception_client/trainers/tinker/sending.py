"""Calls of a training client: log-probabilities and gradients of rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import tinker
import torch

Divides = Literal["nothing", "rows"]
DIVIDES = ("nothing", "rows")
SUM = "loss:sum"
# By how much a server's sum of a loss may differ from that of its log-probabilities, relatively: it may sum in bfloat16.
APART = 0.02


class PicturesDropped(RuntimeError):
    """The training server accepts pictures but does not show them to the model."""


class MayHaveCounted(RuntimeError):
    """A backward pass failed, but the server may have added its gradients."""


def log_probs(
    client: Any, rows: Sequence[tinker.Datum], timeout: float | None
) -> tuple[list[torch.Tensor], Any]:
    """Return the log-probabilities of every row's targets, float32 [S − 1] each, and the server's metrics.

    Raises:
        PicturesDropped: a row has fewer log-probabilities than positions, as if the server left out its pictures.
        ValueError: the number of rows is wrong, or a row has too many numbers.
    """
    answer = client.forward(list(rows), "cross_entropy").result(timeout)
    outputs = answer.loss_fn_outputs
    if len(outputs) != len(rows):
        raise ValueError(f"the training server was asked for {len(rows)} rows, and answered {len(outputs)}")
    found = []
    for row, output in zip(rows, outputs, strict=True):
        values = torch.tensor(output["logprobs"].data, dtype=torch.float32)
        wanted = row.model_input.length
        if len(values) < wanted:
            raise PicturesDropped(
                f"the training server gave {len(values)} log-probabilities for a row of {wanted} positions: it leaves "
                "out pictures, and its targets are shifted. Train with a server whose model sees pictures; SkyRL's JAX "
                "backend is for text alone"
            )
        if len(values) > wanted:
            raise ValueError(
                f"the training server gave {len(values)} log-probabilities for {wanted} positions"
            )
        found.append(values)
    return found, answer.metrics or {}


def divides(said: Divides | None, metrics: Any, means: Sequence[tuple[float, float]]) -> Divides:
    """Decide what the training server divides a row's loss by.

    Tinker sums a loss over a row's tokens and over rows, and says so in the metric `loss:sum`. SkyRL's JAX backend
    divides each row by its positions, the optimiser's step by the rows since the last one, and has no such metric.

    Args:
        said: the user's setting; None to use the metric.
        metrics: those of the forward pass with `cross_entropy`.
        means: of each row, its loss as a sum, and its number of weights that are not 0.

    Raises:
        ValueError: the setting is missing and needed, or contradicts the metric.
    """
    if said is not None and said not in DIVIDES:
        raise ValueError(f"divides: expected nothing or rows, not {said!r}")
    total = sum(value for value, _ in means)
    if SUM not in metrics:
        if said is None:
            raise ValueError(
                f"the training server does not say how it sums a loss (metric {SUM}): pass divides='nothing' for sums, "
                "as Tinker's, or divides='rows' where each row is divided by its positions, as in SkyRL's JAX backend"
            )
        return said
    sums = math.isclose(float(metrics[SUM]), total, rel_tol=APART, abs_tol=1e-6)
    if not sums and said != "rows":
        raise ValueError(
            f"the training server says {SUM} = {float(metrics[SUM]):.6g}, and the sum of its log-probabilities gives "
            f"{total:.6g}: it divides by something. Pass divides='rows' if that is each row's positions"
        )
    if sums and said == "rows" and any(n > 1 for _, n in means):
        raise ValueError(
            f"divides='rows', and the training server's {SUM} is the plain sum: pass divides='nothing'"
        )
    return said or "nothing"


def backward(client: Any, rows: Sequence[tinker.Datum], timeout: float | None) -> None:
    """Add the rows' gradients to the step, without retries.

    Raises:
        MayHaveCounted: it failed.
    """
    try:
        answer = client.forward_backward(list(rows), "importance_sampling").result(timeout)
        if len(answer.loss_fn_outputs) != len(rows):
            raise ValueError(f"{len(rows)} rows were sent, and {len(answer.loss_fn_outputs)} came back")
    except Exception as error:
        raise MayHaveCounted(
            f"the backward pass of {len(rows)} perception rows failed ({type(error).__name__}: {error}), and the server "
            "may have added their gradients all the same, so that it is not tried again. Load the last saved state and "
            "repeat the step, or take optim_step as it is; then call forget()"
        ) from error
