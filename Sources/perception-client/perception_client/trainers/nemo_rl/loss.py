"""NeMo-RL's loss function with the perception loss added. It is sent to the training workers.

B rows of a micro-batch, S positions. Columns of the batch are [B,S], log-probabilities [B,S−1]: each the next token's.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

from .. import modes
from ..modes import Pass
from ..settings import TrainerSettings

PREFIX = "perception."
WEIGHTS, SEEN, ADVANTAGES = f"{PREFIX}weights", f"{PREFIX}seen", f"{PREFIX}advantages"


class WithRows:
    """Adds −Σ weight · log_prob over all rows, by the column `perception.weights`.

    The weights are those of the whole batch, so that the sum does not depend on how micro-batches and ranks divide it.

    Args:
        own: NeMo-RL's loss function, which has all other attributes.
    """

    def __init__(self, own: Any) -> None:
        self.own = own

    def __getattr__(self, name: str) -> Any:
        if name == "own" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.own, name)

    def __call__(
        self, next_token_logprobs: torch.Tensor, data: Any, *args: Any, **more: Any
    ) -> tuple[torch.Tensor, dict[str, Any]]:
        """Compute NeMo-RL's loss and metrics, and add the rows."""
        loss, metrics = self.own(next_token_logprobs, data, *args, **more)
        weights = data[WEIGHTS][:, 1:]
        return loss - torch.where(weights != 0, next_token_logprobs * weights, 0).sum(), metrics


class WithDetached(WithRows):
    """Adds the loss of each micro-batch, the other views' log-probabilities being columns of the batch.

    It is weighted as NeMo-RL weights the micro-batch: by its tokens, or sequences, among those of the optimizer step.
    """

    def __init__(self, own: Any, settings: TrainerSettings) -> None:
        super().__init__(own)
        self.settings = settings
        self._client: Any = None

    def __getstate__(self) -> dict[str, Any]:
        # Each worker connects for itself.
        return self.__dict__ | {"_client": None}

    def __call__(
        self,
        next_token_logprobs: torch.Tensor,
        data: Any,
        global_valid_seqs: torch.Tensor,
        global_valid_toks: torch.Tensor,
        **more: Any,
    ) -> tuple[torch.Tensor, dict[str, Any]]:
        """Compute NeMo-RL's loss and metrics, and add the perception loss."""
        loss, metrics = self.own(
            next_token_logprobs=next_token_logprobs, data=data, global_valid_seqs=global_valid_seqs,
            global_valid_toks=global_valid_toks, **more)  # fmt: skip
        counts = data["token_mask"][:, 1:] * data["sample_mask"][:, None]
        seen = data[SEEN].to(counts.device)
        mask = counts.bool() & seen[:, None]
        if not mask.any():
            return loss, metrics
        if self._client is None:
            # All of a step's calls are this worker's own: no other is waited for.
            self._client = self.settings.client()
        wanted = self.settings.needs(self._client)
        arguments: dict[str, Any] = {"response_mask": mask, **self.settings.loss}
        if wanted.advantages:
            arguments["advantages"] = data[ADVANTAGES][:, 1:]
        if wanted.options["detector"] == "divergence":
            arguments["old"] = data[f"{PREFIX}original"][:, 1:]
        if str(getattr(self.own.loss_type, "value", self.own.loss_type)) == "token_level":
            share = float(counts.sum()) / float(global_valid_toks)
        else:
            share = float(data["sample_mask"].sum()) / float(global_valid_seqs)
        others = {view: Pass(data[f"{PREFIX}{view}"][:, 1:]) for view in wanted.others}
        added = modes.detached(self._client, Pass(next_token_logprobs), others, factor=share, **arguments)
        # NeMo-RL adds a step's metrics up over micro-batches and ranks.
        metrics[f"{PREFIX[:-1]}/objective"] = float(added.detach())
        return loss + added.to(loss), metrics


def of_mode(own: Any, settings: TrainerSettings) -> WithRows:
    """Return the loss function of the settings' mode."""
    if settings.mode == "rows":
        return WithRows(own)
    return WithDetached(own, dataclasses.replace(settings, on_error="raise"))
