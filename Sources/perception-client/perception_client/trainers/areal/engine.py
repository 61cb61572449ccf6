"""AReaL's actor on FSDP, with the perception loss in its update.

The engine packs the rows of a micro-batch: N tokens with borders `cu_seqlens` [B+1]; token t's numbers are those of the
distribution that predicts token t + 1, and so are its `loss_mask` and `advantages`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import torch
import torch.distributed as dist
from areal.engine.fsdp_engine import FSDPPPOActor
from areal.utils import stats_tracker

from .. import modes, ranks, reporting
from ..modes import Pass
from ..needs import Needs
from ..resizing import GRID, PIXELS
from ..settings import TrainerSettings
from . import advantages, columns, versions
from .packing import refuse_packed

OFFERED = ("direct", "grad_cache")


class PerceptionPPOActor(FSDPPPOActor):
    """`FSDPPPOActor` whose update has the perception loss; for actor, reference and teacher alike.

    The loss is added to each micro-batch's policy loss and weighted as AReaL weights that: by the micro-batch's response
    tokens among those of the whole batch, over micro-batches and ranks. Losses over all response tokens, as PAPO's, are
    thus the whole batch's token-mean. Where few tokens are gated, as CPPO's, each micro-batch has its own mean.

    Settings come from the PERCEPTION_… variables; see `TrainerSettings`.
    """

    def __init__(self, config: Any) -> None:
        versions.check()
        if config.enable_tree_training:
            raise ValueError(
                "enable_tree_training merges the rows' prompts, pictures and all: switch it off for the perception loss"
            )
        super().__init__(config)
        self.perception = TrainerSettings.of()
        if self.perception.mode not in OFFERED:
            raise ValueError(f"mode {self.perception.mode}: AReaL's engine offers {' and '.join(OFFERED)}")
        if self.perception.normalise != "micro":
            raise ValueError(
                f"normalise {self.perception.normalise}: AReaL weights each micro-batch by its response tokens, and the "
                "perception loss with it: leave normalise at micro"
            )
        self._pictured: Iterator[bool] = iter(())
        self._views: columns.Views | None = None
        self._said: Pass | None = None

    @cached_property
    def client(self) -> Any:
        """The client. All ranks skip together where errors are skipped, so it agrees over all of them."""
        return self.perception.client()

    @cached_property
    def wanted(self) -> Needs:
        """What the loss needs. Raises ValueError for presets that need more than AReaL's update has."""
        wanted = self.perception.needs(self.client)
        advantages.refuse(self.config, self.perception.preset, wanted)
        if wanted.rewards:
            raise ValueError(
                f"preset {self.perception.preset} looks at rewards, which AReaL drops before its update: pass "
                'PERCEPTION_OPTIONS={"gate": "positive_advantage"}, or use the TRL adapter'
            )
        return wanted

    @cached_property
    def heat_maps(self) -> reporting.HeatMaps:
        """Where heat maps go: `perception/EXPERIMENT/TRIAL` below the working directory."""
        folder = f"perception/{self.config.experiment_name}/{self.config.trial_name}"
        return reporting.HeatMaps(folder, self.perception.heatmap_every, dist.get_rank())

    def compute_advantages(self, data: list[dict[str, Any]], *args: Any, **more: Any) -> list[dict[str, Any]]:
        """Compute AReaL's own, shape them if the preset does, and leave each trajectory its own pictures.

        AReaL copies those of all trajectories into each one: the copies grow with the square of the batch, three times
        over with views, and rows would find others' pictures once trajectories change their order.
        """
        pictures = [{k: v for k, v in one.items() if k.startswith(columns.OWN)} for one in data]
        bare = [
            {k: v for k, v in one.items() if k not in own} for one, own in zip(data, pictures, strict=True)
        ]
        said = advantages.old(self, data, self.wanted.old)
        found: list[dict[str, Any]] = super().compute_advantages(bare, *args, **more)
        whole = [one | own for one, own in zip(found, pictures, strict=True)]
        return advantages.shaped(self, whole, said) if self.wanted.shaping else whole

    def forward_backward_batch(
        self, mb_list: Any, process_output_fn: Callable[..., Any], forward_only: bool = False
    ) -> None:
        """Run the micro-batches, having agreed with the other ranks on which of them have pictures."""
        refuse_packed(self.config.attn_impl, mb_list)
        if not forward_only:
            self._pictured = iter(ranks.anywhere([GRID in b for b in mb_list.padded_mbs]))
        super().forward_backward_batch(mb_list, process_output_fn, forward_only=forward_only)

    def _prepare_mb_inputs(self, mb_item: Any) -> Any:
        # Out of the model's inputs, whether the views are wanted or not.
        self._views = columns.taken(mb_item.padded_mb, self.device)
        return super()._prepare_mb_inputs(mb_item)

    def _compute_logprobs_and_loss(
        self,
        logits: torch.Tensor,
        ctx: Any,
        loss_fn: Callable[..., torch.Tensor],
        loss_weight_fn: Callable[[dict[str, Any]], torch.Tensor],
        total_loss_weight: torch.Tensor,
        loss_multiplier: float = 1.0,
    ) -> torch.Tensor:
        def watched(log_probs: torch.Tensor, entropy: torch.Tensor, batch: Any, **more: Any) -> torch.Tensor:
            self._said = Pass(log_probs, entropy.detach())
            return loss_fn(log_probs, entropy, batch, **more)

        self._said = None
        loss: torch.Tensor = super()._compute_logprobs_and_loss(
            logits, ctx, watched, loss_weight_fn, total_loss_weight, loss_multiplier
        )
        if not torch.is_grad_enabled() or not next(self._pictured):
            return loss
        if self._views is None and GRID in ctx.model_inputs and self.wanted.others:
            raise ValueError(columns.MISSING)
        # AReaL skips the loss of a micro-batch without response tokens; other ranks' collectives still wait for ours.
        said = self._said or _silent(logits, ctx)
        weight = float(loss_weight_fn(ctx.mb_input) / total_loss_weight) * loss_multiplier
        return loss + self._perception(said, ctx, weight)

    def _perception(self, said: Pass, ctx: Any, weight: float) -> torch.Tensor:
        run = modes.direct if self.perception.mode == "direct" else modes.grad_cache
        value = run(
            self.client,
            lambda view: self._pass(view, ctx),
            said,
            factor=weight,
            **self._arguments(ctx.mb_input),
        )
        score = self.client.last
        stats_tracker.scalar(**reporting.metrics(score, self.client.skipped))
        self.heat_maps.write(self.get_version(), score, lambda: self._texts(ctx.mb_input))
        return value

    def _pass(self, view: str, ctx: Any) -> Pass:
        """Run the model under a view, as the engine has run it for the original: [N]."""
        kept = ctx.mb_input.get(advantages.OLD + view)
        if kept is not None and not self.wanted.of_model(view):
            return Pass(kept)
        inputs = ctx.model_inputs
        if self._views is not None:
            inputs = {**inputs, PIXELS: self._views.pixels[view]}
        logits = self.model(**inputs).logits.squeeze(0)
        log_probs, entropy = self._compute_logprobs_entropy(logits, ctx.model_inputs, ctx.ulysses_pad_size)
        if ctx.pad_length:
            log_probs, entropy = log_probs[: -ctx.pad_length], entropy[: -ctx.pad_length]
        return Pass(log_probs, entropy.detach())

    def _arguments(self, batch: dict[str, Any]) -> dict[str, Any]:
        borders = batch["cu_seqlens"]
        carries = self._views.carries if self._views else [False] * (len(borders) - 1)
        of_token = torch.tensor(carries, device=borders.device).repeat_interleave(borders[1:] - borders[:-1])
        arguments = {
            "response_mask": batch["loss_mask"].bool() & of_token,
            "cu_seqlens": borders,
            **self.perception.loss,
        }
        if self.perception.shows_advantages(self.wanted):
            arguments["advantages"] = batch.get(advantages.OWN, batch["advantages"])
        if self.wanted.shaping:
            arguments["old"] = batch[advantages.OLD + "original"]
        if self.perception.send_tokens:
            arguments["tokens"] = self._texts(batch)
        return arguments

    def _texts(self, batch: dict[str, Any]) -> list[str]:
        # The distribution at a position is the next token's.
        (found,) = reporting.texts(self.tokenizer, batch["input_ids"].reshape(1, -1).roll(-1, 1))
        return found


def _silent(logits: torch.Tensor, ctx: Any) -> Pass:
    """Return a pass [N] that says nothing and is connected to the model."""
    count = int(ctx.mb_input["cu_seqlens"][-1])
    return Pass((logits.float().mean() * 0).expand(count), torch.zeros(count, device=logits.device))
