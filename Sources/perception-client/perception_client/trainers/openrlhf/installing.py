"""Installs the perception loss in OpenRLHF's workers, which Ray starts and which import OpenRLHF themselves."""

from __future__ import annotations

from types import ModuleType

from ..after_import import after_import
from ..versions import require

OLDEST = NEWEST = "0.11.2"
TRAINING = "openrlhf.trainer.ray.ppo_actor"
ACTOR = "openrlhf.models.actor"


def check() -> None:
    """Refuse an untested release; see `trainers.versions.require`."""
    require("openrlhf", OLDEST, NEWEST)


def install() -> None:
    """Replace the class of the training step, now or when this process imports it.

    For Ray's `worker_process_setup_hook`, which runs first in each worker. In workers that never train it imports
    nothing.

    Raises:
        UntestedTrainer: another release of OpenRLHF is installed.
    """
    check()
    after_import(ACTOR, _actor)
    after_import(TRAINING, _training)


def _actor(module: ModuleType) -> None:
    from .training import without_views

    module.Actor.forward = without_views(module.Actor.forward)


def _training(module: ModuleType) -> None:
    from .training import with_perception

    module.ActorPPOTrainer = with_perception(module.ActorPPOTrainer)  # type: ignore[attr-defined]
