"""Presets that change the policy loss: replaces AReaL's token advantages before its update.

When `compute_advantages` runs, the policy is still the one that sampled. A trajectory has b rows of S tokens, and each
number is the next token's. All trajectories of a rank have B rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from .. import shaping
from ..needs import Needs
from ..resizing import PIXELS
from . import columns

# AReaL's own advantages, for the loss's gate, and the old policy's log-probabilities, by which tokens are ranked.
OWN, OLD = "perception_own_advantages", "perception_old_"
Trajectory = dict[str, Any]


def refuse(config: Any, preset: str, wanted: Needs) -> None:
    """Refuse a policy loss that averages a sequence's advantages if the preset leaves single tokens out.

    Raises:
        ValueError: `importance_sampling_level` is `sequence`.
    """
    level = getattr(config, "importance_sampling_level", "token")
    if wanted.options["policy_tokens"] == "perception" and level != "token":
        raise ValueError(
            f"preset {preset} leaves single tokens out of the policy loss, and importance_sampling_level={level} "
            "averages the advantages of a sequence: set it to token"
        )


def old(actor: Any, data: Sequence[Trajectory], views: Sequence[str]) -> dict[str, list[torch.Tensor]]:
    """Return the policy's log-probabilities of each trajectory [b,S] under each view, before its update.

    The original's are AReaL's own if it computed them. Every rank makes the same passes, with or without pictures.

    Raises:
        ValueError: a row has pictures and no views.
    """
    found: dict[str, list[torch.Tensor]] = {}
    for view in views:
        known = [one.get("prox_logp") for one in data] if view == "original" else [None]
        if all(x is not None for x in known):
            # AReaL changes its own in place.
            found[view] = [x.clone() for x in known if x is not None]
        else:
            found[view] = actor.compute_logp([_under(one, view) for one in data])
    return found


def shaped(
    actor: Any, data: Sequence[Trajectory], said: Mapping[str, Sequence[torch.Tensor]]
) -> list[Trajectory]:
    """Return trajectories with the advantages to train with, and the columns that the loss needs later.

    Args:
        actor: the engine.
        data: trajectories with AReaL's advantages.
        said: log-probabilities by view; see `old`.
    """
    wanted: Needs = actor.wanted
    seen = torch.tensor([row for one in data for row in _carries(one, wanted.others)])
    own, mask = (_together([one[name] for one in data]) for name in ("advantages", "loss_mask"))
    seen = seen.to(mask.device)
    shape = shaping.Shape(None, None)
    if bool(seen.any()):
        shape = shaping.shape(
            actor.client,
            wanted,
            actor.perception.loss,
            log_probs={view: _together(rows) for view, rows in said.items()},
            response_mask=mask.bool() & seen[:, None],
        )
    whole = shape.advantages(own, seen, own.shape[1])
    found, first = [], 0
    for number, one in enumerate(data):
        rows, width = one["advantages"].shape
        changed = {"advantages": whole[first : first + rows, :width].contiguous(), OWN: one["advantages"]}
        kept = {OLD + view: said[view][number] for view in ("original", *wanted.kept)}
        found.append(one | changed | kept)
        first += rows
    return found


def _under(one: Trajectory, view: str) -> Trajectory:
    """Return a trajectory whose pictures are a view's."""
    changed = {name: x for name, x in one.items() if not name.startswith(columns.PREFIX)}
    pictures = one.get(columns.OWN)
    if view == "original" or pictures is None:
        return changed
    views = one.get(columns.PREFIX + view) or [{}] * len(pictures)
    if any(PIXELS in own and PIXELS not in entry for own, entry in zip(pictures, views, strict=True)):
        raise ValueError(columns.MISSING)
    changed[columns.OWN] = [
        own | ({PIXELS: entry[PIXELS]} if PIXELS in own else {})
        for own, entry in zip(pictures, views, strict=True)
    ]
    return changed


def _carries(one: Trajectory, views: Sequence[str]) -> list[bool]:
    """Return for each row of a trajectory whether it has pictures and views of them."""
    entries = one.get(columns.PREFIX + views[0]) or [{}] * len(one["advantages"])
    return [PIXELS in e and not e.get(columns.FAILED) for e in entries]


def _together(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    """Put trajectories' [b,S] below one another [B,longest S]."""
    longest = max(x.shape[1] for x in parts)
    return torch.cat([torch.nn.functional.pad(x, (0, longest - x.shape[1])) for x in parts])
