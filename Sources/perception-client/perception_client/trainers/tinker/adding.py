"""Adds the perception loss of a batch of rollouts to a step of a training client.

B rollouts with pictures, T positions of the longest response.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from .. import modes, reporting
from ..prompt_views import Pending, PromptViews
from ..settings import TrainerSettings
from . import sending
from .batch import Batch
from .rollouts import Rollout

if TYPE_CHECKING:
    from ...client import Perception


class PerceptionRows:
    """The perception loss for Tinker's `TrainingClient`, and for those of servers that speak its protocol.

    Args:
        training_client: the result of `ServiceClient.create_lora_training_client`. The adapter uses its methods
            `forward` and `forward_backward`.
        settings: see `TrainerSettings`; the only mode is `rows`. A training client gives no entropies: presets that
            choose tokens by them need `options={"detector": "divergence"}`.
        divides: what the training server divides a row's loss by. Default: what its metrics state; see `sending.divides`.
        perception: the client. Default: one that the settings describe.
        tokenizer: converts ids to text, for heat maps and `send_tokens`.
        folder: where heat maps go.
        timeout: seconds for one call of the training server; None for no limit.
        setting: one of `settings` by its name.

    Raises:
        ValueError: the preset needs entropies or changes the policy loss, or a setting is not available here.
    """

    def __init__(
        self,
        training_client: Any,
        settings: TrainerSettings | Mapping[str, Any] | None = None,
        *,
        divides: sending.Divides | None = None,
        perception: Perception | None = None,
        tokenizer: Any = None,
        folder: str = "perception",
        timeout: float | None = None,
        **setting: Any,
    ) -> None:
        self.training_client = training_client
        if not isinstance(settings, TrainerSettings):
            settings = {"mode": os.environ.get("PERCEPTION_MODE", "rows"), **(settings or {})}
        self.settings = TrainerSettings.of(settings, **setting)
        if self.settings.mode != "rows":
            raise ValueError(
                f"mode {self.settings.mode}: a training client has no graph to give; the mode is rows"
            )
        if self.settings.normalise != "micro":
            raise ValueError(
                "normalise: the loss is the mean of the rollouts of one add(); pass factor= for several"
            )
        if self.settings.send_tokens and tokenizer is None:
            raise ValueError(
                "send_tokens needs the tokenizer: pass tokenizer=training_client.get_tokenizer()"
            )
        self.client = perception or self.settings.client()
        self.wanted = self.settings.needs(self.client)
        if self.wanted.entropy:
            raise ValueError(
                f"preset {self.settings.preset} chooses tokens by their entropies, and a training client gives "
                "log-probabilities alone: pass options={'detector': 'divergence'}"
            )
        if self.wanted.shaping:
            raise ValueError(
                f"preset {self.settings.preset} changes the policy loss, which is yours here: choose another"
            )
        self.views = PromptViews(
            self.client,
            self.settings.recipes_for(self.wanted),
            seed=self.settings.seed,
            per_rollout=self.settings.per_rollout,
        )
        self.divides = divides
        self.tokenizer = tokenizer
        self.heat_maps = reporting.HeatMaps(folder, self.settings.heatmap_every)
        self.timeout = timeout
        self._unsure: sending.MayHaveCounted | None = None

    def start(self, rollouts: Sequence[Rollout], step: int) -> Pending:
        """Begin to make the views of rollouts, for `add(…, views=…)`. Their prompts are enough."""
        return self.views.start([r.pictures for r in rollouts], step)

    def add(
        self,
        rollouts: Sequence[Rollout],
        step: int,
        *,
        policy_rows: int | None = None,
        factor: float = 1.0,
        views: Pending | None = None,
    ) -> dict[str, float]:
        """Add the gradients of some rollouts' perception loss to the current step.

        Call it before `optim_step`, for rollouts of the current policy: the weights are exact for that one.

        Args:
            rollouts: those without pictures, and those without sampled tokens, take no part.
            step: the trainer's step, on which the views' draws depend.
            policy_rows: the number of rows that the policy loss has in this step, for a server that divides by rows.
                Such a server divides all of the step's gradients by its rows, of which the views add more. With this
                number the policy loss, a mean over its own rows, and the perception loss keep their proportion.
            factor: of the loss, 1 / k if a step is the sum of k calls.
            views: what `start` returned for the same rollouts.

        Returns:
            The loss's numbers for the log, with names that begin with `perception/`; {} if no rollout takes part.

        Raises:
            PicturesDropped: the training server does not show pictures to the model.
            MayHaveCounted: the gradients may or may not be in the step.
            ValueError: a rollout cannot be a row, or it is unknown how the training server sums losses.
        """
        if self._unsure is not None:
            raise self._unsure
        for number, rollout in enumerate(rollouts):
            rollout.check(number)
        made = (views or self.start(rollouts, step)).collect()
        if made.pictures["original"] != [r.pictures for r in rollouts]:
            raise ValueError("views were begun for other rollouts than those that are added")
        if made.failed is not None:
            return {f"{reporting.PREFIX}skipped": float(self.client.skipped)}
        part = [i for i, r in enumerate(rollouts) if r.pictures and any(r.mask)]
        if not part:
            return {}
        batch = Batch([rollouts[i] for i in part])
        names = ("original", *self.wanted.others)
        files = {view: [made.pictures[view][i] for i in part] for view in names}
        inputs = {view: batch.inputs(files[view]) for view in names}
        said, metrics = sending.log_probs(
            self.training_client, [d for view in names for d in batch.asked(inputs[view])], self.timeout
        )
        by_view = {view: said[k * len(part) : (k + 1) * len(part)] for k, view in enumerate(names)}
        _check_seen(files, by_view)
        divides = sending.divides(self.divides, metrics, batch.sums(by_view))
        if divides == "rows" and policy_rows is None:
            raise ValueError(
                "policy_rows: the training server divides a step's gradients by its rows: say how many of them "
                "the policy loss has"
            )
        weights = modes.rows(
            self.client, {v: modes.Pass(batch.responses(x)) for v, x in by_view.items()}, factor=factor,
            **self._arguments(batch),
        ).weights  # fmt: skip
        data = []
        for view, weight in weights.items():
            data += batch.weighted(
                inputs[view], by_view[view], weight, policy_rows if divides == "rows" else None
            )
        if data:
            try:
                sending.backward(self.training_client, data, self.timeout)
            except sending.MayHaveCounted as error:
                self._unsure = error
                raise
        if not self.client.last.skipped:
            texts = self.tokenizer and (lambda: batch.texts(self.tokenizer))
            self.heat_maps.write(step, self.client.last, texts)
        return reporting.metrics(self.client.last, self.client.skipped)

    def forget(self) -> None:
        """Continue after `MayHaveCounted`, when the step has been taken or repeated from a saved state."""
        self._unsure = None

    def _arguments(self, batch: Batch) -> dict[str, Any]:
        arguments = {"response_mask": batch.mask, **self.settings.loss}
        if self.wanted.advantages:
            arguments["advantages"] = batch.advantages()
        if self.wanted.rewards:
            arguments["rewards"] = batch.rewards()
        if self.settings.send_tokens:
            arguments["tokens"] = batch.texts(self.tokenizer)
        return arguments


def _check_seen(files: Mapping[str, Any], said: Mapping[str, Sequence[torch.Tensor]]) -> None:
    """Refuse a server that keeps the pictures' positions, and whose model does not look at them."""
    pairs = [
        (k, view)
        for view in files
        for k, own in enumerate(files["original"])
        if list(own) != list(files[view][k])
    ]
    if pairs and all(torch.equal(said["original"][k], said[view][k]) for k, view in pairs):
        raise sending.PicturesDropped(
            f"the training server says the same of all {len(pairs)} rows with other pictures as of the originals: "
            "its model does not see them. Train with a model and a server for pictures"
        )
