"""TRL: adds the perception loss to GRPOTrainer and RLOOTrainer.

    from trl import GRPOTrainer
    from perception_client.trainers.trl import PerceptionMixin

    class Trainer(PerceptionMixin, GRPOTrainer):
        perception_settings = {"url": "http://127.0.0.1:8080", "preset": "cppo-verl"}

Then train as usual: `Trainer(model, reward_funcs, args, train_dataset).train()`. The adapter repeats TRL's own call for
log-probabilities with other `pixel_values`, so that it does not depend on a list of keywords. B rollouts of a
micro-batch, T completion positions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import trl_rows as rows
from . import versions
from .settings import TrainerSettings
from .trl_steps import Steps

if TYPE_CHECKING:
    from ..client import Perception

OLDEST, NEWEST = "1.0", "1.16"
versions.require("trl", OLDEST, NEWEST)


class PerceptionMixin:
    """A mixin for trainers: `class Trainer(PerceptionMixin, GRPOTrainer)`, or `RLOOTrainer`.

    Training steps get the perception loss; evaluation is the trainer's own. Rows without pictures train as before and
    take no part in the perception loss.

    Attributes:
        perception: the client. Default: one that the settings describe.
        perception_settings: see `TrainerSettings`; modes `direct`, `grad_cache` and `detached`.
    """

    perception: Perception | None = None
    perception_settings: TrainerSettings | Mapping[str, Any] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._perception_steps = Steps(
            self, TrainerSettings.of(self.perception_settings), self.perception, self._perception_passes
        )

    def _perception_passes(self, *args: Any, **kwargs: Any) -> Any:
        """The trainer's own method, whoever overrides it after this class."""
        return super()._get_per_token_logps_and_entropies(*args, **kwargs)  # type: ignore[misc]

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        generate = super()._generate_and_score_completions  # type: ignore[misc]
        return self._perception_steps.generated(generate, [rows.with_pictures(row) for row in inputs])

    def _generate(self, *args: Any, **kwargs: Any) -> Any:
        return rows.mended(super()._generate(*args, **kwargs))  # type: ignore[misc]

    def _calculate_rewards(self, *args: Any, **kwargs: Any) -> Any:
        rewards = super()._calculate_rewards(*args, **kwargs)  # type: ignore[misc]
        self._perception_steps.rewards = rewards
        return rewards

    def _get_per_token_logps_and_entropies(self, *args: Any, **kwargs: Any) -> Any:
        return self._perception_steps.watch.passed(args, kwargs)

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Any:
        own = super()._compute_loss  # type: ignore[misc]
        return self._perception_steps.loss(own, model, inputs)
