"""OpenRLHF's training step with the perception loss.

B rows, S tokens; log-probabilities, entropies, masks and advantages are [B,S−1], each the next token's.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch.utils.checkpoint import checkpoint

from .. import modes, ranks, reporting
from ..modes import Pass
from ..needs import Needs
from ..resizing import PIXELS
from ..settings import TrainerSettings
from . import advantages, views
from .installing import check

OFFERED = ("direct", "grad_cache")


class PerceptionStep:
    """The mixin for OpenRLHF's `ActorPPOTrainer`; see `with_perception`.

    The loss is added to each micro-batch's policy loss and weighted as OpenRLHF does: by the micro-batch's tokens,
    or rows, among those of the optimizer step, over micro-batches and ranks. Losses over all response tokens, as PAPO's,
    are thus the whole step's token-mean. Where few tokens are gated, as CPPO's, each micro-batch has its own mean.

    Mode `grad_cache` runs each view's pass again during the one backward pass that DeepSpeed counts.
    """

    actor: Any
    actor_loss_fn: Any
    args: Any
    tokenizer: Any

    @cached_property
    def perception(self) -> TrainerSettings:
        """The settings: PERCEPTION_… variables."""
        settings = TrainerSettings.of()
        if settings.mode not in OFFERED:
            raise ValueError(f"mode {settings.mode}: OpenRLHF's step offers {' and '.join(OFFERED)}")
        if settings.normalise != "micro":
            raise ValueError(
                f"normalise {settings.normalise}: OpenRLHF weights each micro-batch by its tokens or rows, and the "
                "perception loss with it: leave normalise at micro"
            )
        return settings

    @cached_property
    def client(self) -> Any:
        """The client. All ranks skip together where errors are skipped, so it agrees over all of them."""
        return self.perception.client()

    @cached_property
    def wanted(self) -> Needs:
        """What the loss needs."""
        return self.perception.needs(self.client)

    @cached_property
    def heat_maps(self) -> reporting.HeatMaps:
        """Where heat maps go: the folder `perception` in that of the checkpoints."""
        folder = Path(getattr(getattr(self.args, "ckpt", None), "output_dir", None) or ".") / "perception"
        rank = dist.get_rank() if dist.is_initialized() else 0
        return reporting.HeatMaps(folder, self.perception.heatmap_every, rank)

    def ppo_train(self, *args: Any, **more: Any) -> dict[str, Any]:
        """Run OpenRLHF's own training on the replay buffer, after shaping its advantages if the preset does."""
        if self.wanted.shaping:
            advantages.shape(self)
        status: dict[str, Any] = super().ppo_train(*args, **more)  # type: ignore[misc]
        return status

    def training_step(self, experience: Any, *args: Any, **more: Any) -> dict[str, Any]:
        """Run OpenRLHF's own step while its actor and its loss function are watched."""
        pictured = any(views.carries(experience.mm_train_inputs or [], self.wanted.others))
        (somewhere,) = ranks.anywhere([pictured])
        watch = _Watch(self, experience)
        own_loss = self.actor_loss_fn
        if somewhere:
            # The actor stays the object that it is: DeepSpeed's strategy looks at its class.
            self.actor.forward = watch.forward
            self.actor_loss_fn = watch.loss
        try:
            status: dict[str, Any] = super().training_step(experience, *args, **more)  # type: ignore[misc]
        finally:
            if somewhere:
                del self.actor.forward
                self.actor_loss_fn = own_loss
        if watch.policy_loss is not None:
            status["metrics"]["policy_loss"] = watch.policy_loss
        said = reporting.metrics(self.client.last, self.client.skipped) if somewhere else {}
        # OpenRLHF adds a step's numbers up over ranks, one collective for each name: every rank must have the same ones.
        for name in sorted(reporting.names(self.wanted)):
            status["metrics"][name] = torch.tensor(said.get(name, 0.0))
            status["weights"][name] = "token"
        self._steps = getattr(self, "_steps", 0) + 1
        if somewhere:
            self.heat_maps.write(self._steps, self.client.last, watch.texts)
        return status


def with_perception(trainer: type) -> type:
    """Return OpenRLHF's `ActorPPOTrainer` with the perception loss in its training step."""
    check()
    if issubclass(trainer, PerceptionStep):
        return trainer
    return type(f"Perception{trainer.__name__}", (PerceptionStep, trainer), {})


def without_views(forward: Callable[..., Any]) -> Callable[..., Any]:
    """Return an actor's forward pass that ignores the views among its arguments, which all passes get."""

    @functools.wraps(forward)
    def own(self: Any, *args: Any, **more: Any) -> Any:
        arguments, _ = views.apart(more)
        return forward(self, *args, **arguments)

    return own


class _Watch:
    """One micro-batch: the call that the step makes of its actor, and the loss that it makes of the answer."""

    def __init__(self, trainer: Any, experience: Any) -> None:
        self.trainer = trainer
        self.experience = experience
        self.policy_loss: torch.Tensor | None = None
        self._own_forward = trainer.actor.forward
        self._own_loss = trainer.actor_loss_fn
        self._call: tuple[tuple[Any, ...], dict[str, Any]]
        self._views: dict[str, torch.Tensor] = {}
        self._said: Pass

    def forward(self, *args: Any, **more: Any) -> Any:
        """Run the actor as the step wants it, and remember the call."""
        arguments, self._views = views.apart(more)
        if self.trainer.wanted.entropy:
            arguments["return_entropy"] = True
        self._call = args, arguments
        found = self._own_forward(*args, **arguments)
        self._said = Pass(*self._numbers(found))
        return found

    def loss(self, *args: Any, **more: Any) -> Any:
        """Return OpenRLHF's own losses, the perception loss added to the first."""
        own = self._own_loss(*args, **more)
        self.policy_loss = own[0].detach()
        trainer = self.trainer
        value = modes.direct(
            trainer.client,
            self._under,
            self._said,
            factor=self._weight(more),
            **self._arguments(),
        )
        return (own[0] + value, *own[1:])

    def texts(self) -> list[list[str]]:
        """Return the text of each token that the model is asked for [B,T]."""
        length = self.experience.action_mask.shape[1]
        return reporting.texts(self.trainer.tokenizer, self.experience.sequences[:, -length:])

    def _under(self, view: str) -> Pass:
        """Repeat the call under a view; in mode `grad_cache` keep nothing of it, and repeat it again on the way back."""
        if view in self.trainer.wanted.kept:
            return Pass(self._kept(views.OLD + view, torch.zeros_like(self._said.log_probs.detach())))
        if self.trainer.perception.mode == "direct":
            return Pass(*self._repeated(view))
        return Pass(*checkpoint(self._repeated, view, use_reentrant=False))

    def _kept(self, name: str, otherwise: torch.Tensor) -> torch.Tensor:
        return views.kept(self.experience.mm_train_inputs or [], name, otherwise)

    def _repeated(self, view: str) -> tuple[torch.Tensor, torch.Tensor | None]:
        args, arguments = self._call
        pixels = {PIXELS: self._views[view]} if view in self._views else {}
        return self._numbers(self._own_forward(*args, **(arguments | pixels)))

    def _numbers(self, found: Any) -> tuple[torch.Tensor, torch.Tensor | None]:
        log_probs, output = found
        entropy = getattr(output, "entropy", None)
        return log_probs, None if entropy is None else entropy[:, -log_probs.shape[1] :].detach()

    def _weight(self, given: Mapping[str, Any]) -> float:
        """Return the share of the step's loss that OpenRLHF gives to this micro-batch, by its own function."""
        from openrlhf.models import aggregate_loss

        mask = given["action_mask"].float()
        whole = {
            name: given[name]
            for name in ("dp_size", "batch_num_tokens", "global_batch_size")
            if name in given
        }
        level = self._own_loss.token_level_loss
        return float(aggregate_loss(torch.ones_like(mask), mask, token_level_loss=level, **whole))

    def _arguments(self) -> dict[str, Any]:
        trainer, experience = self.trainer, self.experience
        mask = experience.action_mask.bool()
        rows = views.carries(experience.mm_train_inputs or [], trainer.wanted.others) or [False] * len(mask)
        arguments = {
            "response_mask": mask & torch.tensor(rows, device=mask.device)[:, None],
            **trainer.perception.loss,
        }
        if trainer.perception.shows_advantages(trainer.wanted):
            arguments["advantages"] = self._kept(views.OWN, experience.advantages)
        if trainer.wanted.rewards:
            arguments["rewards"] = experience.rewards
        if trainer.wanted.shaping:
            arguments["old"] = experience.action_log_probs
        if trainer.perception.send_tokens:
            arguments["tokens"] = self.texts()
        return arguments
