"""The perception loss in AReaL: `PPOTrainer` on FSDP, with rollouts that bring views.

    from perception_client.trainers.areal import PerceptionPPOTrainer

    with PerceptionPPOTrainer(config, train_dataset=train, valid_dataset=valid) as trainer:
        trainer.train(
            workflow="perception_client.trainers.areal.PerceptionVisionRLVRWorkflow", workflow_kwargs=kwargs
        )

Settings are PERCEPTION_… variables; see `perception_client.trainers.settings`. Every name here may be given to AReaL as
an import string. AReaL is imported when one of them is asked for.
"""

from __future__ import annotations

import importlib
from typing import Any

_PLACES = {
    "PerceptionPPOActor": "engine",
    "PerceptionPPOTrainer": "trainer",
    "PerceptionMixin": "workflow",
    "PerceptionVisionRLVRWorkflow": "workflow",
}
__all__ = ["PerceptionMixin", "PerceptionPPOActor", "PerceptionPPOTrainer", "PerceptionVisionRLVRWorkflow"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .versions import check

    check()
    return getattr(importlib.import_module(f".{_PLACES[name]}", __name__), name)
