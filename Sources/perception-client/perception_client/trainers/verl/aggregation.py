"""The loss's divisor, that of verl's `agg_loss`.

verl divides each micro-batch's sum by numbers of the whole mini-batch over all ranks, and multiplies by the ranks that
FSDP will average over. So the micro-batches' losses add up to the mini-batch's, however it is divided. With `token-mean`
the divisor is the number of the mini-batch's response tokens, not only of those that carry loss, as for verl's own loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from ..needs import Needs

SEQUENCES = ("seq-mean-token-sum", "seq-mean-token-mean", "seq-mean-token-sum-norm")


@dataclass(frozen=True)
class MiniBatch:
    """What verl tells a loss about the mini-batch of a micro-batch.

    Attributes:
        ranks: data-parallel ranks, `dp_size`.
        tokens: response tokens over all ranks, `batch_num_tokens`.
        sequences: over all ranks, `global_batch_size`.
        mode: `loss_agg_mode`.
        length: `loss_scale_factor`, for `seq-mean-token-sum-norm`; None takes the micro-batch's width T.
    """

    ranks: int
    tokens: float
    sequences: int | None
    mode: str = "token-mean"
    length: float | None = None

    @classmethod
    def of(cls, data: Any, config: Any, mode: str | None = None) -> MiniBatch:
        """Read the micro-batch and the actor's configuration; without one the mode is verl's default, token-mean.

        `mode` replaces the actor's aggregation.
        """
        return cls(
            int(data["dp_size"]),
            float(data["batch_num_tokens"]),
            data.get("global_batch_size", None),
            mode or getattr(config, "loss_agg_mode", None) or "token-mean",
            getattr(config, "loss_scale_factor", None),
        )


def options(batch: MiniBatch, wanted: Needs, mask: torch.Tensor) -> dict[str, Any]:
    """Return the request's options that make its objective, times `ranks`, this micro-batch's part.

    Args:
        batch: the mini-batch.
        wanted: of the preset with the caller's options.
        mask: the response tokens of this micro-batch that may carry loss [B,T].

    Raises:
        ValueError: the loss has a cap, which acts on a whole batch and does not add up.
    """
    if wanted.options["loss_cap"] is not None:
        raise ValueError(
            f"loss_cap ({wanted.options['loss_cap']}, perhaps from the preset) acts on a batch's loss, and verl's micro-"
            "batches add up to it: set PERCEPTION_OPTIONS='{\"loss_cap\": null}'"
        )
    found = _aggregation(batch, mask.shape[-1]) if wanted.options["terms"] else {}
    return found | _entropy_terms(batch, wanted.options["entropy_coefficients"] or {}, mask)


def _aggregation(batch: MiniBatch, width: int) -> dict[str, Any]:
    if batch.mode == "token-mean":
        return {"aggregation": "token-sum", "denominator": batch.tokens or 1.0}
    if batch.mode == "token-sum":
        return {"aggregation": "token-sum", "denominator": 1.0}
    if batch.mode not in SEQUENCES:
        raise ValueError(f"loss_agg_mode {batch.mode} of verl is not known here")
    found: dict[str, Any] = {"aggregation": batch.mode, "global_batch_size": batch.sequences}
    if batch.sequences is None:
        raise ValueError(f"loss_agg_mode {batch.mode} needs global_batch_size in the micro-batch")
    if batch.mode == "seq-mean-token-sum-norm":
        found["norm_length"] = width if batch.length is None else batch.length
    return found


def _entropy_terms(batch: MiniBatch, coefficients: Mapping[str, float], mask: torch.Tensor) -> dict[str, Any]:
    """Scale the coefficients: the server takes the mean over this micro-batch's tokens, verl over the mini-batch's."""
    if not any(coefficients.values()):
        return {}
    # Never 0, so that every rank runs the model under the same views.
    share = max(int(mask.sum()), 1) / (batch.tokens or 1.0)
    return {"entropy_coefficients": {view: c * share for view, c in coefficients.items()}}
