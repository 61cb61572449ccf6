"""The work of the mixin for TRL at each of the trainer's steps: rollouts, and the loss of a micro-batch.

B rollouts, T completion positions. What a rollout needs later is in TRL's own batch dictionary, as tensors and lists of B
entries with names that begin with `perception.`: TRL shuffles and splits them with the rest.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.parallel import DistributedDataParallel

from . import modes, reporting, resizing, shaping
from .modes import Pass
from .prompt_views import Pending, PromptViews, RowViews
from .settings import TrainerSettings
from .trl_rows import pictures, response
from .trl_watch import Call, Watch

if TYPE_CHECKING:
    from ..client import Perception

Batch = dict[str, Any]


class Steps:
    """The perception loss of one trainer.

    Args:
        trainer: a GRPOTrainer or RLOOTrainer.
        settings: what the user configured.
        client: sends the requests. Default: one that the settings describe.
        passes: the trainer's own method for log-probabilities and entropies, which this class calls again.
    """

    def __init__(
        self, trainer: Any, settings: TrainerSettings, client: Perception | None, passes: Callable[..., Any]
    ) -> None:
        self.trainer = trainer
        self.settings = settings
        self.client = client if client is not None else settings.client()
        self.needs = settings.needs(self.client)
        self._refuse()
        recipes = settings.recipes_for(self.needs)
        self.views = PromptViews(
            self.client,
            recipes,
            processor=trainer.processing_class,
            seed=settings.seed,
            per_rollout=settings.per_rollout,
        )
        folder = Path(trainer.args.output_dir) / "perception"
        self.heat_maps = reporting.HeatMaps(folder, settings.heatmap_every, trainer.accelerator.process_index)
        # Reward functions' values [B · ranks, functions] of the rollouts that are being made.
        self.rewards: torch.Tensor | None = None
        self.watch = Watch(passes)
        self._compared = False

    def _refuse(self) -> None:
        trainer, mode = self.trainer, self.settings.mode
        if mode == "rows":
            raise ValueError(
                "mode rows is for trainers that take views as rows; TRL has direct, grad_cache, detached"
            )
        if getattr(trainer.args, "use_liger_kernel", False) and hasattr(trainer, "compute_liger_loss"):
            raise ValueError(
                "use_liger_kernel: this release of TRL computes the loss in one fused kernel that gives no "
                "log-probabilities, so that there is nothing to add a perception loss to. Switch it off"
            )
        if mode == "grad_cache" and "DEEPSPEED" in str(trainer.accelerator.distributed_type):
            raise ValueError("mode grad_cache makes several backward passes a step, which DeepSpeed's engine counts as "
                             "steps of its own: use mode direct or detached")  # fmt: skip
        if self.needs.options["policy_tokens"] == "perception" and not self._per_token:
            raise ValueError(
                f"preset {self.settings.preset} leaves single tokens out of the policy loss, and "
                f"{type(trainer).__name__} has one ratio for a whole completion: use GRPOTrainer"
            )

    @property
    def _per_token(self) -> bool:
        """Whether the trainer's policy loss has a term for each token, as GRPO's has and RLOO's has not."""
        return hasattr(self.trainer, "importance_sampling_level")

    # Rollouts

    def generated(self, generate: Callable[[Any], Batch], inputs: list[dict[str, Any]]) -> Batch:
        """Make rollouts and, meanwhile, the views of their pictures."""
        if not self.trainer.model.training:
            return generate(inputs)
        pending = self.views.start([pictures(row) for row in inputs], self.trainer.state.global_step)
        return self.completed(generate(inputs), pending)

    def completed(self, batch: Batch, pending: Pending) -> Batch:
        """Add to a batch of rollouts what the loss needs later."""
        made = pending.collect(batch.get("image_grid_thw"))
        self._compare(made, batch)
        device = batch["completion_ids"].device
        counts = len(made.counts)
        seen = torch.tensor([made.has_pictures(i) for i in range(counts)], device=device)
        empty = torch.empty(0)
        batch["perception.seen"] = seen
        for view in self.needs.others:
            batch[f"perception.{view}"] = [
                made.features(view, i).get(resizing.PIXELS, empty) for i in range(counts)
            ]
        if self.needs.rewards:
            batch["perception.rewards"] = self._own_rewards(counts, device)
        batch["perception.advantages"] = batch["advantages"]
        detached = self.needs.others if self.settings.mode == "detached" else ()
        said = self._passes_of_rollouts(batch, tuple(dict.fromkeys((*self.needs.old, *detached))))
        for view in (*self.needs.old[:1], *(detached or self.needs.kept)):
            batch[f"perception.{view}.log_probs"] = said[view].log_probs
            if said[view].entropy is not None and view in self.needs.entropy:
                batch[f"perception.{view}.entropy"] = said[view].entropy
        if self.needs.shaping:
            batch["advantages"] = self._shaped(batch, said)
        self._log_views(made)
        return batch

    def _compare(self, made: RowViews, batch: Batch) -> None:
        """Make sure that these are the pictures that the trainer itself works on."""
        counts: list[int] = batch.get("num_images") or [0] * len(made.counts)
        if list(counts) != made.counts:
            raise ValueError(
                f"the trainer works on {list(counts)} pictures for each row, and the data set's rows have "
                f"{made.counts}: pictures that tools return, or that are dropped, have no views"
            )
        if not self._compared and any(n > 0 for n in made.counts):
            own, ours = batch["pixel_values"], made.all_features("original")[resizing.PIXELS]
            if own.shape != ours.shape or not torch.equal(own.cpu(), ours.to(own.dtype)):
                raise ValueError(
                    "the trainer's pixel_values are not those of its image processor: views would differ from the "
                    "original by more than their recipe"
                )
            self._compared = True

    def _own_rewards(self, count: int, device: torch.device) -> torch.Tensor:
        assert self.rewards is not None, "TRL computed no rewards"
        weights = self.trainer.reward_weights.to(self.rewards.device)
        first = self.trainer.accelerator.process_index * count
        mine: torch.Tensor = (self.rewards * weights).nansum(1)[first : first + count]
        return mine.to(device)

    def _passes_of_rollouts(self, batch: Batch, views: tuple[str, ...]) -> dict[str, Pass]:
        """What the policy that sampled says of all rollouts under each view, in pieces of a micro-batch."""
        if not views:
            return {}
        call = self.watch.peeked(self.trainer._compute_loss, self.trainer.model, batch)
        call.kwargs["batch_size"] = self.trainer.args.per_device_train_batch_size
        with torch.no_grad():
            return {view: self.forward(call, batch, view) for view in views}

    def _shaped(self, batch: Batch, said: Mapping[str, Pass]) -> torch.Tensor:
        found = shaping.shape(
            self.client,
            self.needs,
            self.settings.loss,
            log_probs={view: said[view].log_probs for view in self.needs.old},
            response_mask=response(batch) * batch["perception.seen"][:, None],
        )
        return found.advantages(
            batch["advantages"], batch["perception.seen"], response(batch).shape[1], self._per_token
        )

    # The loss of a micro-batch

    def loss(self, own: Callable[[Any, Batch], torch.Tensor], model: Any, batch: Batch) -> torch.Tensor:
        """Compute the trainer's own loss and add the perception loss."""
        if not self.trainer.model.training or self.watch.stopping or "perception.seen" not in batch:
            return own(model, batch)
        if self.trainer.accelerator.num_processes == 1 and not batch["perception.seen"].any():
            return own(model, batch)
        arguments, factor = self.arguments(batch)
        if self.settings.mode == "grad_cache":
            call = self.watch.peeked(own, model, batch)
            # The trainer's own backward pass reduces over ranks what has gathered by then.
            alone = (
                model.no_sync() if isinstance(model, DistributedDataParallel) else contextlib.nullcontext()
            )
            with alone:
                known = modes.cached(
                    self.client, functools.partial(self.forward, call, batch), backward=self._backward,
                    factor=factor, **arguments)  # fmt: skip
            loss, call = self.watch.watched(own, model, batch)
            added = known.attach(call.result[0])
        else:
            loss, call = self.watch.watched(own, model, batch)
            original = Pass(call.result[0], call.result[1])
            if self.settings.mode == "detached":
                others = {view: self._kept(batch, view) for view in self.needs.others}
                added = modes.detached(self.client, original, others, factor=factor, **arguments)
            else:
                forward = functools.partial(self.forward, call, batch)
                added = modes.direct(self.client, forward, original, factor=factor, **arguments)
        self._report(batch)
        return loss + added

    def arguments(self, batch: Batch) -> tuple[dict[str, Any], float]:
        """Return the arguments of a micro-batch's request, and the factor of its loss."""
        steps = self.trainer.current_gradient_accumulation_steps
        seen = batch["perception.seen"]
        given: dict[str, Any] = self.settings.loss | {
            "response_mask": response(batch) * seen[:, None],
            "advantages": batch["perception.advantages"],
        }
        if self.needs.rewards:
            given["rewards"] = batch["perception.rewards"]
        if self.needs.options["detector"] == "divergence":
            old = batch.get("perception.original.log_probs", batch.get("old_per_token_logps"))
            given |= {} if old is None else {"old": old}
        if self.settings.send_tokens:
            given["tokens"] = reporting.texts(self._tokenizer, batch["completion_ids"])
        factor = float(steps) if self._trainer_divides else 1.0
        if self.settings.normalise == "sequences":
            rows = len(seen) * steps * self.trainer.accelerator.num_processes
            return given | {"normalise": "sequences", "global_batch_size": rows}, factor
        return given, factor / steps

    def forward(self, call: Call, batch: Batch, view: str) -> Pass:
        """Repeat the trainer's own call under a view."""
        if view != "original" and f"perception.{view}.log_probs" in batch:
            return self._kept(batch, view)
        changed = {}
        if view != "original" and call.kwargs.get(resizing.PIXELS) is not None:
            own = call.kwargs[resizing.PIXELS]
            pixels = torch.cat([x for x in batch[f"perception.{view}"] if len(x)])
            changed = {resizing.PIXELS: pixels.to(device=own.device, dtype=own.dtype)}
        result = self.watch.passes(*call.args, **call.kwargs | changed)
        return Pass(result[0], result[1])

    def _kept(self, batch: Batch, view: str) -> Pass:
        return Pass(batch[f"perception.{view}.log_probs"], batch.get(f"perception.{view}.entropy"))

    @property
    def _trainer_divides(self) -> bool:
        """Whether the trainer divides what `_compute_loss` returns by the accumulation steps, as with RLOO."""
        scaled = getattr(self.trainer, "loss_is_scaled_for_ga", None)
        return not (self.trainer.compute_loss_func is not None if scaled is None else scaled)

    def _backward(self, loss: torch.Tensor) -> None:
        steps = self.trainer.current_gradient_accumulation_steps if self._trainer_divides else 1
        self.trainer.accelerator.backward(loss / steps)

    # The log

    @property
    def _tokenizer(self) -> Any:
        processor = self.trainer.processing_class
        return getattr(processor, "tokenizer", processor)

    def _report(self, batch: Batch) -> None:
        own = self.trainer._metrics["train"]
        found = reporting.metrics(self.client.last, self.client.skipped)
        names = sorted(reporting.names(self.needs))
        row = torch.tensor([found.get(n, float("nan")) for n in names], device=batch["completion_ids"].device)
        mean = self.trainer.accelerator.gather(row[None]).nanmean(0).tolist()
        for name, value in zip(names, mean, strict=True):
            if value == value:
                own[name].append(value)
        tokens = functools.partial(reporting.texts, self._tokenizer, batch["completion_ids"])
        self.heat_maps.write(self.trainer.state.global_step, self.client.last, tokens)

    def _log_views(self, made: RowViews) -> None:
        own = self.trainer._metrics["train"]
        own[f"{reporting.PREFIX}views_seconds"].append(made.seconds)
        own[f"{reporting.PREFIX}views_waited_seconds"].append(made.waited)
        if made.failed is not None:
            own[f"{reporting.PREFIX}skipped"].append(float(self.client.skipped))
