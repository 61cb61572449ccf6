"""The views of a rollout as further entries of OpenRLHF's `mm_train_inputs`.

OpenRLHF concatenates the entries of a batch's rows and hands them to its actor as keyword arguments. B rows, T positions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch

from ..group_views import Made
from ..resizing import PIXELS

PREFIX = "perception_"
VIEW = PREFIX + "view_"
FAILED = PREFIX + "failed"
# Of presets that change the policy loss [T]: OpenRLHF's own advantages, and the old policy's log-probabilities.
OWN, OLD = PREFIX + "own_advantages", PREFIX + "old_"
MISSING = (
    "this batch has rows with pictures and without views of them: let --train.agent_func_path name a file with "
    "class AgentExecutor(PerceptionMixin, SingleTurnAgentExecutor), PerceptionMixin from "
    "perception_client.trainers.openrlhf"
)


def entries(made: Made) -> dict[str, torch.Tensor]:
    """Return a row's entries: `perception_view_NAME` [ΣP,D], and a mark where there are no views."""
    found = {VIEW + view: features[PIXELS] for view, features in made.features.items()}
    return found | ({FAILED: torch.ones(1)} if made.failed else {})


def apart(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Tell an actor's own arguments from the views: [ΣP,D] by view."""
    own = {name: value for name, value in arguments.items() if not name.startswith(PREFIX)}
    views = {name.removeprefix(VIEW): x for name, x in arguments.items() if name.startswith(VIEW)}
    return own, views


def carries(inputs: Iterable[Any], views: Iterable[str]) -> list[bool]:
    """Return for each row whether it has pictures and views of them.

    Args:
        inputs: `Experience.mm_train_inputs`: one dictionary, or None, for each row; or lists of those.
        views: those that the loss needs.

    Raises:
        ValueError: a row has pictures and lacks a view.
    """
    needed = [VIEW + view for view in views]
    found = []
    for row in _rows(inputs):
        pictured = bool(row) and PIXELS in row
        if pictured and any(name not in row for name in needed):
            raise ValueError(MISSING)
        found.append(pictured and FAILED not in row)
    return found


def kept(inputs: Iterable[Any], name: str, otherwise: torch.Tensor) -> torch.Tensor:
    """Return the rows' entries of a name, `OWN` or `OLD` with a view's, as one tensor [B,T].

    Args:
        inputs: as in `carries`.
        name: of the entry.
        otherwise: what rows have that lack it [B,T].
    """
    found = otherwise.clone()
    for number, row in enumerate(_rows(inputs)):
        if row and name in row:
            found[number, : len(row[name])] = row[name].to(found)
    return found


def _rows(inputs: Iterable[Any]) -> Iterator[Any]:
    for item in inputs:
        if isinstance(item, list):
            yield from item
        else:
            yield item
