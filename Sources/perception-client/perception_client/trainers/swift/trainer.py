"""What the perception loss changes in ms-swift's GRPOTrainer.

| method | what is added |
|---|---|
| `_generate_completions` | the views of the prompts' pictures are begun: they are made while the model generates |
| `_prepare_batch_inputs` | each micro-batch gets the views' pixels, once a prompt, the same for all its rollouts |
| `_compute_loss_and_metrics` | the other views' forward passes, one request, and the loss |

ms-swift divides by the accumulation steps what `compute_loss` returns, and undoes that for its own loss where the
`loss_type` calls for it. With the setting `normalise="micro"` the perception loss is the mean of the micro-batches'
losses, whatever the `loss_type`.

Evaluation has no perception loss. B rollouts of a micro-batch, T response positions.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import torch
from swift.rlhf_trainers import GRPOTrainer
from swift.rlhf_trainers.utils import get_even_process_data
from torch.nn.parallel import DistributedDataParallel

from .. import modes, reporting, shaping
from ..modes import Pass
from ..prompt_views import PromptViews
from ..settings import TrainerSettings
from .template_views import Pixels, TemplateViews, arranged

MODES = ("direct", "grad_cache")
KEY = "perception"


@dataclass
class MicroBatch:
    """What the loss needs of a micro-batch in addition to ms-swift's own data.

    Attributes:
        signals: ms-swift's own GRPOBatch, which identifies the micro-batch.
        pixels: by view, the model's inputs that replace the original's; on the CPU until they are used.
        seen: [B], the rollouts that can carry loss: they have pictures, and these have views.
        rewards: [B], where the preset's gate looks at them.
        advantages: [B,T] before the preset shapes them.
    """

    signals: Any
    pixels: dict[str, Pixels] = field(repr=False)
    seen: torch.Tensor
    rewards: torch.Tensor | None = None
    advantages: torch.Tensor | None = None


class PerceptionGRPOTrainer(GRPOTrainer):
    """ms-swift's GRPO trainer with the perception loss, which `install` puts in its place."""

    perception: ClassVar[TrainerSettings]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        settings = self.perception
        self.perception_client = settings.client()
        self._perception_needs = settings.needs(self.perception_client)
        self._refuse_unsuitable()
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
        if self._perception_needs.shaping and self.loss_type == "real":
            raise ValueError(
                f"preset {settings.preset} changes single tokens' advantages, and loss_type real has none: use another"
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
        own = self._metrics["train"]
        own[f"{reporting.PREFIX}views_seconds"].append(self._perception_views.seconds)
        own[f"{reporting.PREFIX}views_waited_seconds"].append(self._perception_views.waited)
        for chunk, batch in zip(self.split_by_mini_batches(samples), batches, strict=True):
            of_chunk = [next(made) for _ in chunk]
            seen = torch.tensor([m is not None and m.failed is None for m in of_chunk])
            pixels = arranged(of_chunk, batch["model_inputs"])
            batch[KEY] = MicroBatch(batch["grpo_batch"], pixels, seen)
        return batches

    def _postprocess_batch(self, samples: Sequence[Any], batches: Sequence[dict[str, Any]]) -> None:
        super()._postprocess_batch(samples, batches)
        ours = [batch[KEY] for batch in batches if KEY in batch]
        for batch in ours:
            batch.advantages = batch.signals.advantages
        if ours and self._perception_needs.rewards:
            weights = self.reward_weights.to(self._rewards_per_func.device)
            mine = get_even_process_data(self, (self._rewards_per_func * weights).nansum(1))
            for batch, rewards in zip(ours, _cut(mine, ours), strict=True):
                batch.rewards = rewards
        if ours and self._perception_needs.shaping:
            self._shape(batches, ours)

    def _shape(self, batches: Sequence[dict[str, Any]], ours: Sequence[MicroBatch]) -> None:
        """Change the advantages of all rollouts of this rank, by what the policy that sampled says of them."""
        said = {"original": [batch.signals.old_per_token_logps for batch in ours]}
        with torch.no_grad():
            said["removing"] = [
                self._forward(self.model, given["model_inputs"], batch, "removing").log_probs
                for given, batch in zip(batches, ours, strict=True)
            ]
        found = shaping.shape(
            self.perception_client,
            self._perception_needs,
            self.perception.loss,
            log_probs={view: _joined(pieces) for view, pieces in said.items()},
            response_mask=_joined([self._response(batch) for batch in ours]),
        )
        seen = torch.cat([batch.seen for batch in ours]).to(self.accelerator.device)
        whole = _joined([batch.advantages for batch in ours if batch.advantages is not None])
        shaped = found.advantages(whole, seen, whole.shape[1])
        for batch, piece in zip(ours, _cut(shaped, ours), strict=True):
            batch.signals.advantages = piece[:, : batch.signals.completion_mask.shape[1]].contiguous()

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
        if self.accelerator.num_processes == 1 and not batch.seen.any():
            return super()._compute_loss_and_metrics(model, model_inputs, grpo_batch)
        steps = getattr(self, "current_gradient_accumulation_steps", self.args.gradient_accumulation_steps)
        arguments, share = self._loss_arguments(batch, model_inputs, steps)
        forward = functools.partial(self._forward, model, model_inputs, batch)
        known = None
        if self.perception.mode == "grad_cache":
            # The trainer's own backward pass reduces over ranks what has gathered by then. It divides by the steps what
            # this method returns, but not what is passed backward here.
            with model.no_sync() if isinstance(model, DistributedDataParallel) else contextlib.nullcontext():
                known = modes.cached(
                    self.perception_client,
                    forward,
                    backward=lambda loss: self.accelerator.backward(loss * (share / steps)),
                    **arguments,
                )
        loss, metrics = super()._compute_loss_and_metrics(model, model_inputs, grpo_batch)
        original = self._perception_original
        if original is None:
            raise RuntimeError(
                "this release of ms-swift computes its loss without _get_per_token_logps_and_entropies"
            )
        if known is None:
            added = modes.direct(self.perception_client, forward, original, **arguments)
        else:
            added = known.attach(original.log_probs)
        self._report(model_inputs, batch)
        return loss + share * added.to(loss.dtype), metrics

    def _forward(self, model: Any, model_inputs: dict[str, Any], batch: MicroBatch, view: str) -> Pass:
        """Run the model as ms-swift does, on a view."""
        pixels = batch.pixels.get(view, {}) if view != "original" else {}
        moved = {name: x.to(self.accelerator.device) for name, x in pixels.items()}
        return _pass(
            super()._get_per_token_logps_and_entropies(
                model,
                {**model_inputs, **moved},
                batch.signals,
                compute_entropy=view in self._perception_needs.entropy,
            )
        )

    def _response(self, batch: MicroBatch) -> torch.Tensor:
        """Return the tokens [B,T] that may carry perception loss: those of ms-swift's own loss, where there are views."""
        mask: torch.Tensor = (
            batch.signals.completion_mask.bool() & batch.seen.to(self.accelerator.device)[:, None]
        )
        if self.overlong_filter:
            mask = mask & ~batch.signals.truncated_mask[:, None]
        return mask

    def _loss_arguments(
        self, batch: MicroBatch, model_inputs: dict[str, Any], steps: int
    ) -> tuple[dict[str, Any], float]:
        """Return the arguments of the loss, and the factor of what is returned to the trainer."""
        needs, settings = self._perception_needs, self.perception
        given: dict[str, Any] = settings.loss | {
            "response_mask": self._response(batch),
            "advantages": batch.advantages,
        }
        if needs.rewards:
            given["rewards"] = batch.rewards
        if needs.options["detector"] == "divergence":
            given["old"] = batch.signals.old_per_token_logps
        if settings.send_tokens and not self.template.padding_free:
            given["tokens"] = self._texts(model_inputs, batch)
        if settings.normalise == "micro":
            return given, 1.0
        ranks = self.accelerator.num_processes
        rows = len(batch.seen) * steps * ranks
        return given | {"normalise": "sequences", "global_batch_size": rows, "world_size": ranks}, float(
            steps
        )

    def _report(self, model_inputs: dict[str, Any], batch: MicroBatch) -> None:
        client = self.perception_client
        found = reporting.metrics(client.last, client.skipped)
        names = sorted(reporting.names(self._perception_needs))
        row = torch.tensor([found.get(n, float("nan")) for n in names], device=self.accelerator.device)
        mean = self.accelerator.gather(row[None]).nanmean(0).tolist()
        own = self._metrics["train"]
        for name, value in zip(names, mean, strict=True):
            if value == value:
                own[name].append(value)
        # Without padding the rollouts' tokens lie end to end, and positions have no text of their own.
        texts = None if self.template.padding_free else functools.partial(self._texts, model_inputs, batch)
        self._perception_maps.write(self.state.global_step, client.last, texts)

    def _texts(self, model_inputs: dict[str, Any], batch: MicroBatch) -> list[list[str]]:
        positions = batch.signals.completion_mask.shape[1]
        return reporting.texts(self.template.tokenizer, model_inputs["input_ids"][:, -positions:].tolist())


def _pass(found: tuple[torch.Tensor, torch.Tensor | None]) -> Pass:
    log_probs, entropy = found[:2]
    return Pass(log_probs, None if entropy is None else entropy.detach())


def _joined(pieces: Sequence[torch.Tensor]) -> torch.Tensor:
    """Put [B,T] of micro-batches under each other, filled up with 0 to the longest."""
    length = max(piece.shape[1] for piece in pieces)
    return torch.cat([torch.nn.functional.pad(piece, (0, length - piece.shape[1])) for piece in pieces])


def _cut(whole: torch.Tensor, ours: Sequence[MicroBatch]) -> list[torch.Tensor]:
    """Cut what is of all rollouts into micro-batches."""
    return list(torch.split(whole, [len(batch.seen) for batch in ours]))
