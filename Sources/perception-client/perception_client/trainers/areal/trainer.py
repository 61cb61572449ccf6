"""AReaL's trainer with the perception engine, and PERCEPTION_… variables for its workers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import areal.engine
from areal.trainer.rl_trainer import PPOTrainer

from . import versions
from .engine import PerceptionPPOActor


class PerceptionPPOTrainer(PPOTrainer):
    """`PPOTrainer` with `PerceptionPPOActor` as its actor, reference and teacher. It takes the same arguments.

    Workers that AReaL starts get this process's PERCEPTION_… variables.

    Raises:
        ValueError: the backend is not FSDP, or there is a critic, whose engine does not know views.
    """

    def __init__(self, config: Any, *args: Any, **more: Any) -> None:
        versions.check()
        if config.critic is not None:
            raise ValueError(
                "a critic's engine would give the views to its model: use an estimator without one, such as GRPO "
                "(critic: null)"
            )
        ours = {name: value for name, value in os.environ.items() if name.startswith("PERCEPTION_")}
        for part in (config.actor, config.ref, config.rollout):
            for spec in getattr(part, "scheduling_spec", None) or ():
                spec.env_vars.update(
                    {name: value for name, value in ours.items() if name not in spec.env_vars}
                )
        super().__init__(config, *args, **more)

    def _create_train_engine(self, actor_config: Any, alloc: Any) -> Any:
        if alloc.backend != "fsdp":
            raise ValueError(f"backend {alloc.backend}: the perception loss is for AReaL's FSDP engine")
        with _in_place_of("FSDPPPOActor", PerceptionPPOActor):
            made = super()._create_train_engine(actor_config, alloc)
        engine = getattr(made, "train_engine", type(made))
        if engine is not PerceptionPPOActor:
            raise TypeError(
                f"AReaL made an engine of its own, {engine}, in place of {PerceptionPPOActor.__name__}"
            )
        return made


@contextmanager
def _in_place_of(name: str, ours: type) -> Iterator[None]:
    """Have `areal.engine.NAME` be another class: AReaL imports it by name in the method that makes engines."""
    own = getattr(areal.engine, name)
    setattr(areal.engine, name, ours)
    try:
        yield
    finally:
        setattr(areal.engine, name, own)
