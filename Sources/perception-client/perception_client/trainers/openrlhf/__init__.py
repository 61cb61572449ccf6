r"""The perception loss in OpenRLHF: a training step with views, and rollouts that bring them.

    ray job submit --runtime-env-json '{"worker_process_setup_hook": "perception_client.trainers.openrlhf.install",
      "env_vars": {"PERCEPTION_URL": "http://HOST:8080"}}' -- \
      python3 -m openrlhf.cli.train_ppo_ray … --train.agent_func_path agent.py

with `agent.py`:

    from perception_client.trainers.openrlhf import PerceptionMixin
    from openrlhf.utils.agent import SingleTurnAgentExecutor

    class AgentExecutor(PerceptionMixin, SingleTurnAgentExecutor):
        def __init__(self):
            super().__init__(remote_rm_url="reward.py")

OpenRLHF has no place to plug a loss in, so `install` exchanges the class of its training step in every worker. Settings
are PERCEPTION_… variables; see `perception_client.trainers.settings`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .installing import install

if TYPE_CHECKING:
    from .rollouts import PerceptionMixin as PerceptionMixin
    from .training import with_perception as with_perception

_PLACES = {"PerceptionMixin": "rollouts", "with_perception": "training"}
__all__ = ["PerceptionMixin", "install", "with_perception"]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_PLACES[name]}", __name__), name)
