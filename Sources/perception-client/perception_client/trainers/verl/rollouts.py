"""The agent loop's part: each prompt's views are made while the engine generates, and join its `multi_modal_inputs`.

Three methods of verl's classes are wrapped. `_run_agent_loop` says which step a rollout belongs to,
`process_multi_modal_info` has the pictures before generation starts, and `_compute_multi_modal_inputs` makes the
model's inputs after it. Validation gets no views.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from types import ModuleType
from typing import Any

from ...pictures import picture
from ..prompt_views import Pending, PromptViews, RowViews
from ..resizing import GRID
from ..settings import TrainerSettings
from . import rows

log = logging.getLogger("perception_client")
# Prompts whose views a worker keeps for the other rollouts of their group.
KEPT = 64
# Rollouts of one prompt are far fewer, and steps are far below 2^24.
ROLLOUT_SHIFT = 24


class WorkerViews:
    """The views of the prompts that one agent loop worker is processing. Only `of` blocks.

    Args:
        processor: the model's.
        settings: the run's. Default: those of the environment.
    """

    def __init__(self, processor: Any, settings: TrainerSettings | None = None) -> None:
        self.processor = processor
        self.settings = settings or TrainerSettings.of()
        self._thread = ThreadPoolExecutor(1, "perception-views")
        self._begun: OrderedDict[tuple[Any, ...], Future[RowViews]] = OrderedDict()
        self._maker: PromptViews | None = None

    def start(self, pictures: Sequence[Any], step: int) -> Future[RowViews]:
        """Begin to make the views of one prompt's pictures, unless that has begun already."""
        key = (step, *(picture(x).digest for x in pictures))
        found = self._begun.get(key)
        if found is None:
            found = self._begun[key] = self._thread.submit(self._make, list(pictures), step)
            while len(self._begun) > KEPT:
                self._begun.popitem(last=False)
        return found

    def of(self, pictures: Sequence[Any], step: int, grids: Any) -> RowViews:
        """Wait for the views of one prompt's pictures.

        Raises:
            ValueError: `grids`, the trainer's own `image_grid_thw`, differ from the views'.
            PerceptionError: the server cannot make them.
        """
        return Pending(self.start(pictures, step)).collect(grids)

    def _make(self, pictures: list[Any], step: int) -> RowViews:
        # Here, because it asks the server which views the preset needs, and the agent loop must not wait for that.
        if self._maker is None:
            client = self.settings.client()
            recipes = self.settings.recipes_for(self.settings.needs(client))
            self._maker = PromptViews(client, recipes, processor=self.processor, seed=self.settings.seed)
        return self._maker.make([pictures], step)


@dataclass(frozen=True)
class Rollout:
    """One rollout of a training step."""

    views: WorkerViews
    step: int

    def started(self, multi_modal_data: Any) -> None:
        """Begin with the pictures of `multi_modal_data`, if there are any."""
        pictures = (multi_modal_data or {}).get("images")
        if pictures:
            self.views.start(pictures, self.step)

    def joined(self, multi_modal_data: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        """Return the model's inputs with the views' keys."""
        pictures = (multi_modal_data or {}).get("images")
        if not pictures:
            return inputs
        try:
            made = self.views.of(pictures, self.step, inputs.get(GRID))
        except Exception as error:
            # verl drops a prompt whose rollout raises, and goes on without it: the engine shall raise this instead.
            log.error("the views of step %d could not be made: %s", self.step, error)
            return inputs | rows.failed(error)
        return inputs | rows.carried(made)


_current: ContextVar[Rollout | None] = ContextVar("perception_rollout", default=None)


def install(module: ModuleType) -> None:
    """Wrap the methods of verl's module `agent_loop`. AgentLoopWorkerTQ and agent loops inherit them."""
    _wrap(module.AgentLoopWorker, "_run_agent_loop", _run)
    _wrap(module.AgentLoopWorker, "_compute_multi_modal_inputs", _compute)
    _wrap(module.AgentLoopBase, "process_multi_modal_info", _process)


def _wrap(owner: type, name: str, wrapper: Any) -> None:
    original = getattr(owner, name)
    setattr(owner, name, wraps(original)(wrapper(original)))


def _run(original: Any) -> Any:
    async def run(self: Any, sampling_params: Any, trajectory: Any, **more: Any) -> Any:
        # A task of asyncio has a context of its own: rollouts at the same time do not see each other's.
        seen = self.processor is not None and not trajectory["validate"]
        rollout = _rollout(self, trajectory, more) if seen else None
        token = _current.set(rollout)
        try:
            return await original(self, sampling_params, trajectory, **more)
        finally:
            _current.reset(token)

    return run


def _rollout(worker: Any, trajectory: Any, more: Any) -> Rollout:
    views = worker.__dict__.get("perception_views")
    if views is None:
        views = worker.perception_views = WorkerViews(worker.processor)
    step = int(trajectory["step"])
    if views.settings.per_rollout:
        step += int(more.get("session_id", trajectory["rollout_n"])) << ROLLOUT_SHIFT
    return Rollout(views, step)


def _compute(original: Any) -> Any:
    def compute(self: Any, output: Any, input_ids: Any) -> Any:
        inputs = original(self, output, input_ids)
        rollout = _current.get()
        return inputs if rollout is None else rollout.joined(output.multi_modal_data, inputs)

    return compute


def _process(original: Any) -> Any:
    async def process(self: Any, messages: Any) -> Any:
        found = await original(self, messages)
        rollout = _current.get()
        if rollout is not None:
            rollout.started(found)
        return found

    return process
