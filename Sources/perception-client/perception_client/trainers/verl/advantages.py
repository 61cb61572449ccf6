"""Presets that change the policy loss: replaces a training worker's advantages before its first mini-batch.

verl's worker gets all rollouts of a training step; the engine sees one mini-batch at a time. So the worker's
`train_mini_batch` is wrapped: when it starts, the policy is still the one that sampled. B rollouts, T response positions.
"""

from __future__ import annotations

from functools import wraps
from types import ModuleType
from typing import Any

import torch
from verl.utils import tensordict_utils as tu
from verl.workers.utils.padding import no_padding_2_padding

from .. import shaping
from .engine import PerceivingEngine
from .rows import OLD, OWN_ADVANTAGES

# Losses that average a sequence's advantages: a token cannot be left out of them.
OF_SEQUENCES = ("geo_mean",)


def install(module: ModuleType) -> None:
    """Wrap the worker of verl's module `engine_workers`."""
    owner = module.TrainingWorker
    own = owner.train_mini_batch

    @wraps(own)
    def train_mini_batch(self: Any, data: Any) -> Any:
        return own(self, shaped(self, data))

    owner.train_mini_batch = train_mini_batch


def shaped(worker: Any, data: Any) -> Any:
    """Return the rollouts with the advantages to train with, which are verl's own unless the preset changes them.

    It also adds what the loss needs later: verl's own advantages, and the old policy's log-probabilities under the views
    of `Needs.kept`.

    Args:
        worker: verl's `TrainingWorker`.
        data: the rollouts of this rank.

    Raises:
        ValueError: the policy loss has one term for a whole sequence, or a sequence is spread over several ranks.
    """
    engine = worker.engine
    if not isinstance(engine, PerceivingEngine) or "advantages" not in data:
        return data
    settings, client = engine.perception.settings, engine.perception.client
    wanted = engine.perception.wanted
    if not wanted.shaping:
        return data
    _refuse(worker, settings.preset, wanted.options)
    padded = data.select("response_mask", "advantages", "old_log_probs").to_padded_tensor()
    mask = padded["response_mask"].bool()
    seen = engine.carrying(data).rows.to(mask.device)
    said = {"original": padded["old_log_probs"]}
    for view in wanted.old[1:]:
        said[view] = _passed(worker, data, view).to(mask.device)
    shape = shaping.Shape(None, None)
    if bool(seen.any()):
        mine = mask & seen[:, None]
        shape = shaping.shape(client, wanted, settings.loss, log_probs=said, response_mask=mine)
    columns = {OWN_ADVANTAGES: padded["advantages"]} | {OLD + view: said[view] for view in wanted.kept}
    columns["advantages"] = shape.advantages(padded["advantages"], seen, mask.shape[1])
    data = data.copy()
    for name, column in columns.items():
        data[name] = _as(data["response_mask"], column)
    return data


def _refuse(worker: Any, preset: str, options: Any) -> None:
    config = getattr(worker.loss_fn, "keywords", {}).get("config")
    mode = config.policy_loss.get("loss_mode", "vanilla") if config is not None else "vanilla"
    if options["policy_tokens"] == "perception" and mode in OF_SEQUENCES:
        raise ValueError(
            f"preset {preset} leaves single tokens out of the policy loss, and policy_loss.loss_mode={mode} averages the "
            "advantages of a sequence: use another loss_mode, such as vanilla"
        )
    if worker.engine.ulysses_sequence_parallel_size > 1:
        raise ValueError(
            f"preset {preset} looks at whole responses, and with ulysses_sequence_parallel_size > 1 only one rank of "
            "each sequence has its log-probabilities: set it to 1"
        )


def _passed(worker: Any, data: Any, view: str) -> torch.Tensor:
    """Return the policy's log-probabilities of all rollouts under a view [B,T], as verl computes its own."""
    asked = data.copy()
    tu.assign_non_tensor(asked, compute_loss=False, calculate_entropy=False)
    with worker.engine.under(view):
        said = worker.infer_batch(asked)
    return no_padding_2_padding(said["log_probs"], data)


def _as(like: torch.Tensor, padded: torch.Tensor) -> torch.Tensor:
    """Lay [B,T] out as another column: padded, or jagged."""
    if not like.is_nested:
        return padded
    rows = zip(padded, like.offsets().diff().tolist(), strict=True)
    return torch.nested.as_nested_tensor([row[:length] for row, length in rows], layout=torch.jagged)
