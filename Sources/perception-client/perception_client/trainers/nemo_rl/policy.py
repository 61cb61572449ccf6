"""Replacements for two methods of NeMo-RL's policy: `get_logprobs` also runs the views, `train` adds the perception loss.

Both run in the driver process, which has the whole batch. B rows, S positions; columns are [B,S].
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from .. import modes, reporting, shaping, versions
from ..modes import Pass
from ..needs import ANCHORLESS, Needs
from ..prompt_views import PromptViews
from ..resizing import PIXELS
from ..settings import TrainerSettings
from . import loss, mixed
from .loss import ADVANTAGES, PREFIX, SEEN, WEIGHTS
from .pictures import BatchViews, carries

OLDEST, NEWEST = "0.7", "0.7"
OFFERED = ("rows", "detached")


@dataclass
class Said:
    """The policy's log-probabilities of a batch.

    Attributes:
        ids: the batch's `input_ids`, which identify it.
        log_probs: [B,S] by view.
        pixels: each row's `pixel_values` by view, for the rows that views become.
        seen: rows [B] that have pictures and views of them.
    """

    ids: torch.Tensor
    log_probs: dict[str, torch.Tensor]
    pixels: dict[str, list[torch.Tensor | None]]
    seen: torch.Tensor


def install(
    policy: Any,
    processor: Any,
    settings: TrainerSettings | Mapping[str, Any] | None = None,
    *,
    first_step: int = 0,
    **setting: Any,
) -> Perceiving:
    """Add the perception loss to a policy. Call this between `setup` and `grpo_train` or `async_grpo_train`.

    Args:
        policy: NeMo-RL's `Policy`. Its `get_logprobs` and `train` are replaced. Batches may mix rows with and without
            pictures from here on; see `mixed`.
        processor: the model's, the fifth value that `setup_data` returns for pictures.
        settings: see `TrainerSettings`. Modes are `rows`, the default, and `detached`.
        first_step: the number of the first step, on which the views' draws depend. Pass it for a resumed run.
        setting: one of `settings` by its name.

    Raises:
        UntestedTrainer: this release of NeMo-RL was not tested.
        ValueError: NeMo-RL does not offer what the settings ask for.
    """
    versions.require("nemo-rl", OLDEST, NEWEST)
    if not isinstance(settings, TrainerSettings):
        settings = {"mode": os.environ.get("PERCEPTION_MODE", "rows"), **(settings or {})}
    perceiving = Perceiving(policy, processor, TrainerSettings.of(settings, **setting), first_step)
    policy.get_logprobs, policy.train = perceiving.get_logprobs, perceiving.train
    mixed.install()
    return perceiving


class Perceiving:
    """The replacements of a policy's `get_logprobs` and `train`."""

    def __init__(self, policy: Any, processor: Any, settings: TrainerSettings, first_step: int) -> None:
        self._policy = policy
        self._get_logprobs, self._train = policy.get_logprobs, policy.train
        self.settings = settings
        if settings.mode not in OFFERED:
            raise ValueError(f"mode {settings.mode}: with NeMo-RL it is {' or '.join(OFFERED)}")
        if settings.normalise != "micro":
            raise ValueError(
                "normalise: NeMo-RL's own divisors weight the perception loss: leave normalise at micro"
            )
        if settings.heatmap_every or settings.send_tokens:
            raise ValueError("heatmap_every and send_tokens need the tokens' text, which a policy has not")
        if settings.mode == "detached" and settings.on_error == "skip":
            raise ValueError(
                "on_error skip: in mode detached each worker asks for itself, and a step in which some workers skip is "
                "none: use mode rows, in which one process asks"
            )
        self.client = settings.client()
        self.wanted = settings.needs(self.client)
        self._check()
        views = PromptViews(
            self.client,
            settings.recipes_for(self.wanted),
            seed=settings.seed,
            per_rollout=settings.per_rollout,
        )
        self.views = BatchViews(views, processor)
        self._step = first_step
        self._said: Said | None = None

    def _check(self) -> None:
        wanted: Needs = self.wanted
        if wanted.entropy:
            raise ValueError(
                f"preset {self.settings.preset} chooses tokens by their entropies, and a policy gives log-probabilities "
                "alone: pass options={'detector': 'divergence'}"
            )
        if wanted.rewards:
            raise ValueError(
                f"preset {self.settings.preset} looks at rewards, which a policy does not see: choose another"
            )
        estimator = wanted.options["estimator"]
        if self.settings.mode == "detached" and wanted.options["terms"] and estimator in ANCHORLESS:
            raise ValueError(
                f"mode detached with estimator {estimator}: the original's gradient cancels, and the other views have "
                "none. Use k2 or k3, or mode rows"
            )

    def get_logprobs(self, data: Any, *args: Any, **more: Any) -> Any:
        """Return the policy's log-probabilities, and remember those under each view."""
        pending = self.views.start(data, self._step)
        own = self._get_logprobs(data, *args, **more)
        made = pending.collect()
        seen = carries(data) & (made.failed is None)
        log_probs, pixels = {"original": own["logprobs"]}, {}
        for view in self.wanted.others if bool(seen.any()) else ():
            pixels[view] = self.views.under(data, made, view)
            changed = _under(data, pixels[view])
            log_probs[view] = self._get_logprobs(changed, *args, **more)["logprobs"]
        self._said = Said(data["input_ids"], log_probs, pixels, seen)
        return own

    def train(self, data: Any, loss_fn: Any, *args: Any, **more: Any) -> Any:
        """Train with the trainer's own loss and the perception loss."""
        if more.get("eval_mode") or (args and args[0]):
            return self._train(data, loss_fn, *args, **more)
        said, self._said = self._of(data, more.get("timer")), None
        self._step += 1
        if not bool(said.seen.any()):
            reported = self._skipped() if bool(carries(data).any()) else {}
            return _reported(self._train(data, loss_fn, *args, **more), reported)
        mask = (data["token_mask"] * data["sample_mask"][:, None]).bool() & said.seen[:, None]
        mask[:, 0] = False  # Nothing predicts the first token.
        data = data.select_indices(list(range(data.size)))
        own_advantages = data["advantages"]
        if self.wanted.shaping:
            shape = shaping.shape(
                self.client, self.wanted, self.settings.loss, log_probs=said.log_probs, response_mask=mask
            )
            data["advantages"] = shape.advantages(own_advantages, said.seen, mask.shape[1])
        function = loss.of_mode(loss_fn, self.settings)
        if self.settings.mode == "detached":
            data[SEEN], data[ADVANTAGES] = said.seen, own_advantages
            for view, values in said.log_probs.items():
                data[f"{PREFIX}{view}"] = values
            return self._train(data, function, *args, **more)
        gbs = more.pop("gbs", None) or self._policy.cfg["train_global_batch_size"]
        weights, numbers = self._weights(said, mask, own_advantages, data.size // gbs)
        if weights is None:
            return _reported(self._train(data, loss_fn, *args, gbs=gbs, **more), numbers)
        whole = self._rows(data, said, weights, gbs)
        found = self._train(whole, function, *args, gbs=gbs * len(weights), **more)
        return _reported(found, numbers)

    def _of(self, data: Any, timer: Any) -> Said:
        """Return what the policy says of a batch, which may not have been asked for, as where ratios are forced to 1."""
        if self._said is None or not torch.equal(self._said.ids, data["input_ids"]):
            self._policy.prepare_for_lp_inference()
            # Columns of the training step alone are none of the model's.
            columns = {
                k for k in data if k not in ("advantages", "prev_logprobs", "reference_policy_logprobs")
            }
            part = type(data)({k: data[k] for k in data if k in columns})
            self.get_logprobs(part, timer=timer)
            self._policy.prepare_for_training()
        assert self._said is not None
        return self._said

    def _weights(
        self, said: Said, mask: torch.Tensor, advantages: torch.Tensor, steps: int
    ) -> tuple[dict[str, torch.Tensor] | None, dict[str, float]]:
        """Return each row's weights [B,S] by view, None for none, and the loss's numbers.

        NeMo-RL divides by the tokens of one optimizer step; each of several steps has its share of the rows.
        """
        arguments: dict[str, Any] = {"response_mask": mask, **self.settings.loss}
        if self.wanted.advantages:
            arguments["advantages"] = advantages
        passes = {view: Pass(values) for view, values in said.log_probs.items()}
        found = modes.rows(self.client, passes, factor=float(max(steps, 1)), **arguments)
        numbers = reporting.metrics(self.client.last, self.client.skipped)
        if not any(bool(w.any()) for w in found.weights.values()):
            return None, numbers
        return found.weights, numbers

    def _rows(self, data: Any, said: Said, weights: dict[str, torch.Tensor], gbs: int) -> Any:
        """Return a batch in which each optimizer step's rows are followed by the same rows under each view.

        The rows of views have a sample mask of 0: NeMo-RL's losses, divisors and metrics leave them out. Rows without
        pictures have them, too, with weights of 0, so that all steps are of one size.
        """
        order, views = [], []
        for first in range(0, data.size, gbs):
            step = list(range(first, min(first + gbs, data.size)))
            for view in weights:
                order += step
                views += [view] * len(step)
        whole = data.select_indices(order)
        tensors = [
            said.pixels[view][row] if view in said.pixels else data[PIXELS].tensors[row]
            for row, view in zip(order, views, strict=True)
        ]
        whole[PIXELS] = type(data[PIXELS])(tensors, data[PIXELS].dim_to_pack)
        whole[WEIGHTS] = torch.stack([weights[view][row] for row, view in zip(order, views, strict=True)])
        own = torch.tensor([view == "original" for view in views])
        whole["sample_mask"] = whole["sample_mask"] * own.to(whole["sample_mask"])
        return whole

    def _skipped(self) -> dict[str, float]:
        return {f"{reporting.PREFIX}skipped": float(self.client.skipped)}


def _under(data: Any, pixels: list[torch.Tensor | None]) -> Any:
    """Return a batch with other pictures."""
    changed = data.select_indices(list(range(data.size)))
    changed[PIXELS] = type(data[PIXELS])(pixels, data[PIXELS].dim_to_pack)
    return changed


def _reported(results: dict[str, Any], numbers: Mapping[str, float]) -> dict[str, Any]:
    """Put numbers among the metrics of a step, which NeMo-RL adds up over micro-batches and ranks."""
    results["all_mb_metrics"] |= {name: [value] for name, value in numbers.items()}
    return results
