"""Presets that change the policy loss itself, as VPPO does: which tokens count in it, and the scale of each advantage.

Trainers have or accept an advantage for each token. A token that does not count gets the advantage 0, which leaves it out
of the numerator; the divisor stays the number of all response tokens. B rollouts, T response positions.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from ..autograd import LOSS_ONLY
from ..errors import PerceptionError
from ..losses import _passes
from .needs import Needs

if TYPE_CHECKING:
    from ..client import Perception

log = logging.getLogger("perception_client")


@dataclass(frozen=True)
class Shape:
    """The change of the policy loss of a batch of rollouts.

    Attributes:
        scale: factor of each rollout's advantage [B]; None for no change.
        tokens: the tokens that count in the policy loss [B,T]; None for all.
    """

    scale: torch.Tensor | None
    tokens: torch.Tensor | None

    def advantages(
        self, advantages: torch.Tensor, seen: torch.Tensor, length: int, per_token: bool = True
    ) -> torch.Tensor:
        """Return the advantages to train with.

        Args:
            advantages: [B] or [B,T].
            seen: the rollouts [B] that have views. The others keep their advantages.
            length: T.
            per_token: whether to return [B,T]; otherwise the shape is that of `advantages`.
        """
        wide = advantages if advantages.dim() == 2 else advantages[:, None]
        if self.scale is not None:
            wide = wide * torch.where(seen, self.scale.to(wide), 1)[:, None]
        if self.tokens is not None:
            wide = wide * (self.tokens.to(wide) + (~seen[:, None]).to(wide))
        if not per_token:
            return wide.reshape(advantages.shape)
        return wide.expand(-1, length).contiguous()


def shape(
    client: Perception,
    wanted: Needs,
    loss: Mapping[str, Any],
    *,
    log_probs: Mapping[str, torch.Tensor],
    response_mask: torch.Tensor,
) -> Shape:
    """Request the shape of a batch of rollouts.

    Call it once for all rollouts of a rank, with the log-probabilities of the policy that sampled them. The scale depends
    on the smallest and the largest dependency of the call.

    Args:
        client: with `on_error="skip"`, a failed call leaves the policy loss unchanged. It is counted and logged.
        wanted: the preset's needs.
        loss: preset and options.
        log_probs: [B,T] of the original and the views that the detector looks at.
        response_mask: [B,T], 0 in rollouts without views.
    """
    option = {name: value for name, value in loss.items() if name not in LOSS_ONLY}
    try:
        found = client.mask(
            log_probs={v: x.detach() for v, x in log_probs.items()},
            response_mask=response_mask,
            **option,
            return_=["perception_mask", "mask", "advantage_scale"],
        )
    except PerceptionError as error:
        if client.on_error == "raise" or not _passes(error):
            raise
        client.skipped += 1
        log.warning("the policy loss of this batch of rollouts is not shaped: %s", error)
        return Shape(None, None)
    scaled = wanted.options["advantage_shaping"] == "dependency"
    chosen = wanted.options["policy_tokens"] == "perception"
    like = response_mask.device
    return Shape(
        torch.tensor(found.advantage_scale, device=like) if scaled else None,
        torch.tensor(found.perception_mask, device=like) if chosen else None,
    )
