"""What the perception loss changes in ms-swift's GRPOTrainer.

| method | what is added |
|---|---|
| `_generate_completions` | the views of the prompts' pictures are begun: they are made while the model generates |
| `_prepare_batch_inputs` | each micro-batch gets the views' pixels, once a prompt, the same for all its rollouts |
| `_compute_loss_and_metrics` | the other views' forward passes, one request, and the loss |

ms-swift divides by the accumulation steps what `compute_loss` returns. The perception loss is normalised as the policy
loss of the same `loss_type`: over the micro-batch; with dapo, cispo and fipo over the tokens of the whole batch, unless
the preset has a cap or entropy terms, which do not add up over micro-batches.

Evaluation has no perception loss. B rollouts of a micro-batch, T response positions.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import torch
from swift.rlhf_trainers import GRPOTrainer
from swift.rlhf_trainers.grpo_trainer import WINDOW_NORMALIZED_LOSS_TYPES
from swift.rlhf_trainers.utils import get_even_process_data
from torch.nn.parallel import DistributedDataParallel

from .. import modes, reporting
from ..modes import Pass
from ..needs import Needs
from ..prompt_views import PromptViews
from ..settings import TrainerSettings
from .template_views import Pixels, TemplateViews, arranged

MODES = ("direct", "grad_cache")
KEY = "perception"


@dataclass
class MicroBatch:
    """What a micro-batch has for the loss beside what ms-swift gives it.

    Attributes:
        signals: ms-swift's own GRPOBatch, by which the micro-batch is recognised.
        pixels: by view, what takes the place of the original's among the model's inputs; on the CPU until it is used.
        seen: [B], the rollouts that can carry loss: they have pictures, and these have views.
        rewards: [B], where the preset's gate looks at them.
    """

    signals: Any
    pixels: dict[str, Pixels] = field(repr=False)
    seen: torch.Tensor
    rewards: torch.Tensor | None = None


class PerceptionGRPOTrainer(GRPOTrainer):
    """ms-swift's GRPO with the perception loss; `install` puts it in its place."""

    perception: ClassVar[TrainerSettings]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        settings = self.perception
        self._refuse_unsuitable()
        self.perception_client = settings.client()
        self._perception_needs = settings.needs(self.perception_client)
        if self._perception_needs.shaping:
            raise ValueError(
                f"preset {settings.preset} shapes the policy loss, which this adapter does not do; the one for TRL does"
            )
        views = PromptViews(
            self.perception_client,
            settings.recipes_for(self._perception_needs),
            seed=settings.seed,
            per_rollout=settings.per_rollout,
        )
        self._perception_views = TemplateViews(self.template, views)
        folder = Path(self.args.output_dir) / "perception"
        self._perception_maps = reporting.HeatMaps(
            folder, settings.heatmap_every, self.accelerator.process_index
        )
        self._perception_batch: MicroBatch | None = None
        self._perception_original: Pass | None = None

    def _refuse_unsuitable(self) -> None:
        settings = self.perception
        if settings.mode not in MODES:
            raise ValueError(f"mode {settings.mode}: the adapter for ms-swift has {' and '.join(MODES)}")
        if settings.per_rollout:
            raise ValueError("per_rollout: in ms-swift all rollouts of a prompt share their views")
        if self.use_liger_loss:
            raise ValueError(
                "use_liger_kernel computes the loss where no other loss can be added: switch it off"
            )
        if self.template.sequence_parallel_size > 1:
            raise ValueError(
                "sequence_parallel_size above 1 was not tested with the perception loss: set it to 1"
            )
        if settings.mode == "grad_cache" and self.is_deepspeed_enabled:
            raise ValueError(
                "DeepSpeed allows one backward pass a micro-batch: use mode direct, not grad_cache"
            )

    def _generate_completions(self, samples: Sequence[Any]) -> Any:
        if self.model.training:
            self._perception_views.start(samples, self.state.global_step)
        return super()._generate_completions(samples)

    def _prepare_batch_inputs(self, samples: Sequence[Any]) -> Any:
        batches = super()._prepare_batch_inputs(samples)
        if not self.model.training:
            return batches
        made = iter(self._perception_views.collect(samples, self.state.global_step))
        for chunk, batch in zip(self.split_by_mini_batches(samples), batches, strict=True):
            of_chunk = [next(made) for _ in chunk]
            seen = torch.tensor([m is not None and m.failed is None for m in of_chunk])
            pixels = arranged(of_chunk, batch["model_inputs"])
            batch[KEY] = MicroBatch(batch["grpo_batch"], pixels, seen)
        return batches

    def _postprocess_batch(self, samples: Sequence[Any], batches: Sequence[dict[str, Any]]) -> None:
        super()._postprocess_batch(samples, batches)
        if not self._perception_needs.rewards:
            return
        total = (self._rewards_per_func * self.reward_weights.to(self._rewards_per_func.device)).nansum(1)
        own = iter(get_even_process_data(self, total))
        for chunk, batch in zip(self.split_by_mini_batches(samples), batches, strict=True):
            if KEY in batch:
                batch[KEY].rewards = torch.stack([next(own) for _ in chunk])

    def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Compute the policy loss and the perception loss of a micro-batch."""
        given = inputs[0] if isinstance(inputs, list) else inputs
        self._perception_batch = given.get(KEY) if self.model.training else None
        try:
            return super().compute_loss(model, inputs, *args, **kwargs)
        finally:
            self._perception_batch = self._perception_original = None

    def _get_per_token_logps_and_entropies(self, *args: Any, **kwargs: Any) -> Any:
        if self._perception_batch is None:
            return super()._get_per_token_logps_and_entropies(*args, **kwargs)
        if "original" in self._perception_needs.entropy:
            kwargs["compute_entropy"] = True
        found = super()._get_per_token_logps_and_entropies(*args, **kwargs)
        # The pass that ms-swift makes for its own loss is that of the original.
        self._perception_original = _pass(found)
        return found

    def _compute_loss_and_metrics(self, model: Any, model_inputs: dict[str, Any], grpo_batch: Any) -> Any:
        batch = self._perception_batch
        if batch is None:
            return super()._compute_loss_and_metrics(model, model_inputs, grpo_batch)
        if batch.signals is not grpo_batch:
            raise ValueError(
                "a turn-wise rollout made more samples than per_device_train_batch_size, and ms-swift cuts such a batch "
                "into pieces, which the perception loss does not follow: raise per_device_train_batch_size"
            )
        steps = getattr(self, "current_gradient_accumulation_steps", self.args.gradient_accumulation_steps)
        normal, share = self._normalisation(grpo_batch, steps)
        arguments = normal | self._loss_arguments(batch, model_inputs, grpo_batch)
        client = self.perception_client

        def forward(view: str) -> Pass:
            pixels = {n: x.to(self.accelerator.device) for n, x in batch.pixels.get(view, {}).items()}
            wanted = view in self._perception_needs.entropy
            return _pass(
                super(PerceptionGRPOTrainer, self)._get_per_token_logps_and_entropies(
                    model, {**model_inputs, **pixels}, grpo_batch, compute_entropy=wanted
                )
            )

        known = None
        if self.perception.mode == "grad_cache":
            # The trainer divides by the steps what this method returns, and here it does not.
            with model.no_sync() if isinstance(model, DistributedDataParallel) else contextlib.nullcontext():
                known = modes.cached(
                    client,
                    forward,
                    backward=lambda x: self.accelerator.backward(x * (share / steps)),
                    **arguments,
                )
        loss, metrics = super()._compute_loss_and_metrics(model, model_inputs, grpo_batch)
        original = self._perception_original
        assert original is not None, "ms-swift computed its loss without a forward pass"
        if known is None:
            added = modes.direct(client, forward, original, **arguments)
        else:
            added = known.attach(original.log_probs)
        self._report(model_inputs, grpo_batch)
        return loss + share * added.to(loss.dtype), metrics

    def _normalisation(self, grpo_batch: Any, steps: int) -> tuple[dict[str, Any], float]:
        """Return arguments of the loss, and a factor that undoes the trainer's division by its steps."""
        if self.loss_type not in WINDOW_NORMALIZED_LOSS_TYPES or not _adds_up(self._perception_needs):
            return {}, 1.0
        items = float(grpo_batch.num_items_in_batch)
        ranks = self.accelerator.num_processes
        return {"normalise": "tokens", "num_items": items, "world_size": ranks}, float(steps)

    def _loss_arguments(
        self, batch: MicroBatch, model_inputs: dict[str, Any], grpo_batch: Any
    ) -> dict[str, Any]:
        needs = self._perception_needs
        mask = grpo_batch.completion_mask.bool()
        counts = batch.seen.to(mask.device)[:, None]
        if self.overlong_filter:
            counts = counts & ~grpo_batch.truncated_mask[:, None]
        arguments = self.perception.loss | {"response_mask": mask & counts}
        if needs.advantages:
            arguments["advantages"] = grpo_batch.advantages
        if needs.rewards:
            arguments["rewards"] = batch.rewards
        if self.perception.send_tokens and not self.template.padding_free:
            arguments["tokens"] = self._texts(model_inputs, grpo_batch)
        return arguments

    def _report(self, model_inputs: dict[str, Any], grpo_batch: Any) -> None:
        client = self.perception_client
        numbers = reporting.metrics(client.last, client.skipped)
        numbers[f"{reporting.PREFIX}views_waited_s"] = self._perception_views.waited
        for name, value in numbers.items():
            self._metrics["train"][name].append(value)
        # Without padding the rollouts' tokens lie end to end, and positions have no text of their own.
        texts = None if self.template.padding_free else lambda: self._texts(model_inputs, grpo_batch)
        self._perception_maps.write(self.state.global_step, client.last, texts)

    def _texts(self, model_inputs: dict[str, Any], grpo_batch: Any) -> list[list[str]]:
        positions = grpo_batch.completion_mask.shape[1]
        return reporting.texts(self.template.tokenizer, model_inputs["input_ids"][:, -positions:].tolist())


def _pass(found: tuple[torch.Tensor, torch.Tensor | None]) -> Pass:
    log_probs, entropy = found[:2]
    return Pass(log_probs, None if entropy is None else entropy.detach())


def _adds_up(needs: Needs) -> bool:
    """Whether micro-batches' losses add up to the whole batch's: caps and entropy terms are of one request."""
    options = needs.options
    return options.get("loss_cap") is None and not any((options.get("entropy_coefficients") or {}).values())
