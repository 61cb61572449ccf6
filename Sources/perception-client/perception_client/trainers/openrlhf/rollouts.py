"""Rollouts with views: they are made while vLLM generates, once for each prompt."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from openrlhf.utils import vlm_utils

from .. import group_views
from ..group_views import GroupViews
from ..prompt_views import PromptViews
from ..settings import TrainerSettings
from .installing import check
from .views import entries


class PerceptionMixin:
    """A mixin for executors: `class AgentExecutor(PerceptionMixin, SingleTurnAgentExecutor)`.

    It adds the views of the prompt's pictures, and of those that the environment returns in later turns, to what
    `execute` returns. All rollouts of a prompt get the same views. Executors do not know the step, so a
    picture's n-th draw in this process counts as that of step n.

    Args:
        args: the executor's own.
        perception: settings by name. The others come from the PERCEPTION_… variables.
        more: the executor's own.
    """

    def __init__(self, *args: Any, perception: Any = None, **more: Any) -> None:
        check()
        super().__init__(*args, **more)
        self.perception = TrainerSettings.of(perception)
        self._groups: GroupViews | None = None
        _watch_processing()

    def groups(self, processor: Any) -> GroupViews:
        """Return what makes the views."""
        if self._groups is None:
            settings = self.perception
            client = settings.client()
            recipes = settings.recipes_for(settings.needs(client))
            self._groups = GroupViews(
                PromptViews(
                    client, recipes, processor=processor, seed=settings.seed, per_rollout=settings.per_rollout
                )
            )
        return self._groups

    async def execute(self, *args: Any, hf_tokenizer: Any, **more: Any) -> dict[str, Any]:
        """Run the executor's own rollout, and add the views of its pictures.

        Raises:
            ValueError: the rollout's pictures are not those that OpenRLHF processed.
        """
        with self.groups(hf_tokenizer).episode() as episode:
            response: dict[str, Any] = await super().execute(  # type: ignore[misc]
                *args, hf_tokenizer=hf_tokenizer, **more
            )
            own = response.get("mm_train_inputs")
            made = await episode.features(own)
        if own:
            response["mm_train_inputs"] = {**own, **entries(made)}
        response["extra_logs"] = {
            **(response.get("extra_logs") or {}),
            "perception/views_waited": made.waited,
        }
        return response


def _watch_processing() -> None:
    """Have the views of every picture begun when OpenRLHF processes it, within an episode."""
    own = vlm_utils.process_prompt_with_images
    if not hasattr(own, "__wrapped__"):
        vlm_utils.process_prompt_with_images = _watched(own)


def _watched(own: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(own)
    def process(*args: Any, **more: Any) -> Any:
        found = own(*args, **more)
        _, inputs, pictures = found
        episode = group_views.current()
        if episode is not None and inputs is not None:
            episode.add(pictures)
        return found

    return process
