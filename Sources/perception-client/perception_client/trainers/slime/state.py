"""The state of one of slime's processes: settings, client, and views."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import Any

from ...client import Perception
from .. import versions
from ..group_views import GroupViews
from ..needs import Needs
from ..prompt_views import PromptViews
from ..settings import TrainerSettings

OLDEST, NEWEST = "0.3", "0.3"


@dataclass(frozen=True)
class State:
    """One process's part.

    Attributes:
        skip: whether a batch of rollouts trains without the perception loss when the server cannot be reached. The client
            itself raises: one rank asks for all, so that the ranks need not agree.
    """

    settings: TrainerSettings
    client: Perception
    wanted: Needs
    skip: bool


@functools.cache
def state() -> State:
    """Read the settings from the variables, once in a process.

    Raises:
        UntestedTrainer: this release of slime was not tested.
        ValueError: slime does not offer a setting.
    """
    versions.require("slime", OLDEST, NEWEST)
    settings = TrainerSettings.of({"mode": os.environ.get("PERCEPTION_MODE", "rows")})
    if settings.mode not in ("rows", "detached"):
        raise ValueError(f"mode {settings.mode}: with slime it is rows or detached")
    if settings.mode == "detached" and settings.on_error == "skip":
        raise ValueError(
            "on_error skip: in mode detached each rank asks for itself, and a step in which some ranks skip is none: use "
            "mode rows, in which one rank asks"
        )
    if settings.normalise != "micro":
        raise ValueError(
            "normalise: slime's loss is the mean over the batch of rollouts; leave PERCEPTION_NORMALISE"
        )
    if settings.heatmap_every or settings.send_tokens:
        raise ValueError(
            "heatmap_every and send_tokens need the tokens' text, which slime's training ranks have not"
        )
    client = settings.client()
    skip, client.on_error = client.on_error == "skip", "raise"
    wanted = settings.needs(client)
    if wanted.rewards:
        raise ValueError(
            f"preset {settings.preset} looks at rewards, and slime keeps normalised ones: choose another"
        )
    return State(settings, client, wanted, skip)


@functools.cache
def groups(processor: Any) -> GroupViews:
    """Return the process's maker of views of the pictures that this processor has resized."""
    own = state()
    # Views that cannot be had are the rollout workers' own affair: this client may skip.
    return GroupViews(
        PromptViews(
            own.settings.client(),
            own.settings.recipes_for(own.wanted),
            processor=processor,
            seed=own.settings.seed,
            per_rollout=own.settings.per_rollout,
        )
    )
