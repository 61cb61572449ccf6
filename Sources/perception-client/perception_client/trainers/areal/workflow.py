"""Rollouts with views: they are made while the engine generates, once for each prompt."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from areal import workflow_context
from areal.utils import stats_tracker
from areal.workflow.vision_rlvr import VisionRLVRWorkflow

from .. import group_views
from ..group_views import GroupViews
from ..prompt_views import PromptViews
from ..settings import TrainerSettings
from . import versions
from .columns import OWN, columns


class PerceptionMixin:
    """A mixin for workflows with a `processor` and pictures in their data: `class Mine(PerceptionMixin, MyWorkflow)`.

    It adds the views of the pictures to what `arun_episode` returns: a dictionary of tensors with one row. A workflow in
    which tools bring further pictures calls `another_turn(pictures)` for them.

    Args:
        args: the workflow's own.
        perception: settings by name. The others come from the PERCEPTION_… variables.
        more: the workflow's own.
    """

    processor: Any

    def __init__(self, *args: Any, perception: Any = None, **more: Any) -> None:
        versions.check()
        super().__init__(*args, **more)
        self.perception = TrainerSettings.of(perception)

    @cached_property
    def groups(self) -> GroupViews:
        """What makes the views."""
        settings = self.perception
        client = settings.client()
        recipes = settings.recipes_for(settings.needs(client))
        views = PromptViews(
            client, recipes, processor=self.processor, seed=settings.seed, per_rollout=settings.per_rollout
        )
        return GroupViews(views)

    def another_turn(self, pictures: Sequence[Any]) -> None:
        """Begin to make the views of pictures that a tool brought, in the order in which the model sees them."""
        episode = group_views.current()
        if episode is None:
            raise RuntimeError("another_turn is for use within arun_episode")
        episode.add(pictures)

    async def arun_episode(self, engine: Any, data: dict[str, Any]) -> Any:
        """Run the workflow's own episode, and add the views to its row.

        Raises:
            TypeError: the workflow returns messages instead of tensors.
            ValueError: the row's pictures are not those of the data and the turns.
        """
        if workflow_context.get().is_eval:
            return await super().arun_episode(engine, data)  # type: ignore[misc]
        # The weights' version is AReaL's step: the same for a group's rollouts, which begin together.
        with self.groups.episode(engine.get_version()) as episode:
            episode.add(list(data.get(self.perception.image_key) or ()))
            row = await super().arun_episode(engine, data)  # type: ignore[misc]
            if row is None:
                return None
            if "input_ids" not in row:
                raise TypeError(
                    f"{type(self).__name__} returns messages without pictures: views need a workflow "
                    "that returns tensors, such as VisionRLVRWorkflow"
                )
            own = row.setdefault(OWN, [{}])
            made = await episode.features(own[0])
        stats_tracker.get(workflow_context.stat_scope()).scalar(**{"perception/views_waited": made.waited})
        return row | columns(made.features, failed=made.failed)


class PerceptionVisionRLVRWorkflow(PerceptionMixin, VisionRLVRWorkflow):
    """AReaL's own workflow for one turn with pictures, which adds views."""

    async def arun_episode(self, engine: Any, data: dict[str, Any]) -> Any:
        """Run it; see `PerceptionMixin`. Raises ValueError for a prompt without a picture."""
        if not data.get("images"):
            raise ValueError(
                "this prompt has no picture, and AReaL's VisionRLVRWorkflow takes none without: leave such prompts out "
                "of the data set, or put PerceptionMixin before a workflow of your own that returns "
                "multi_modal_input=[{}]"
            )
        return await super().arun_episode(engine, data)
