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

from ..autograd import DETECTOR, GATE, LOSS_ONLY
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
        log_probs: [B,T] of the original and the removing view. Other views are ignored.
        response_mask: [B,T], 0 in rollouts without views.
    """
    returned = ["advantage_scale"] * wanted.scaled + ["perception_mask"] * wanted.chosen
    try:
        found = client.mask(
            log_probs={v: log_probs[v].detach() for v in ("original", "removing")},
            response_mask=response_mask,
            **_options(wanted, loss),
            return_=returned,
        )
    except PerceptionError as error:
        if client.on_error == "raise" or not _passes(error):
            raise
        client.skipped += 1
        log.warning("the policy loss of this batch of rollouts is not shaped: %s", error)
        return Shape(None, None)
    like = response_mask.device
    return Shape(
        torch.tensor(found.advantage_scale, device=like) if wanted.scaled else None,
        torch.tensor(found.perception_mask, device=like) if wanted.chosen else None,
    )


def _options(wanted: Needs, loss: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the request, of those of the loss.

    The gate decides on the perception loss alone, and the detector takes no part unless it chooses tokens: left in, they
    would ask for advantages, rewards, or entropies that are not needed.
    """
    out = LOSS_ONLY | GATE | (frozenset() if wanted.chosen else DETECTOR)
    given = {name: value for name, value in loss.items() if name not in out} | {"gate": "none"}
    return given if wanted.chosen else given | {"detector": "none"}
