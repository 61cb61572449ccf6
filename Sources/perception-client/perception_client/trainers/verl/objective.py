"""What a training worker asks the server for, and what it reports of the answers. B rows, T response positions."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Any

from ..needs import Needs
from ..reporting import HeatMaps, texts
from ..settings import TrainerSettings
from .aggregation import MiniBatch, options
from .reporting import numbers
from .rows import Carrying

FOLDER = "PERCEPTION_HEATMAP_FOLDER"


class Objective:
    """The perception loss of one training worker.

    Args:
        settings: the run's.
        rank: of this worker; rank 0 writes heat maps.
        tokenizer: the model's, for the text of tokens.

    Attributes:
        client: asks the server. Where errors are skipped, all ranks of the default process group agree on it.
    """

    def __init__(self, settings: TrainerSettings, rank: int, tokenizer: Any) -> None:
        self.settings = settings
        self.tokenizer = tokenizer
        self.client = settings.client()
        folder = Path(os.environ.get(FOLDER) or "perception-heat-maps").absolute()
        self._maps = HeatMaps(folder, settings.heatmap_every, rank)
        self._scored: tuple[MiniBatch, Carrying] | None = None

    @cached_property
    def wanted(self) -> Needs:
        """What the preset with the run's options needs.

        Raises:
            ValueError: something that verl's engine does not have, or that this adapter does not do.
        """
        found = self.settings.needs(self.client)
        if found.shaping:
            raise ValueError(
                f"preset {self.settings.preset} with these options changes advantages or the policy loss's tokens, which "
                "the adapter for verl does not do: set advantage_shaping and policy_tokens to their defaults"
            )
        if found.rewards:
            raise ValueError(
                f"preset {self.settings.preset} has a gate on rewards, which verl's engine does not see"
            )
        return found

    def arguments(self, data: Any, loss_function: Any, carrying: Carrying) -> dict[str, Any]:
        """Return what `modes.direct` and `modes.cached` pass on to the server for one micro-batch.

        Args:
            data: verl's micro-batch.
            loss_function: the trainer's; verl binds the actor's configuration to it.
            carrying: which rows may carry loss.
        """
        config = getattr(loss_function, "keywords", {}).get("config")
        padded = data.select("response_mask", "advantages", "old_log_probs", strict=False).to_padded_tensor()
        mask = padded["response_mask"].bool()
        mask = mask & carrying.rows.to(mask.device)[:, None]
        batch = MiniBatch.of(data, config, self.settings.options.get("aggregation"))
        self._scored = batch, carrying
        found = self.settings.loss | options(batch, self.wanted, mask)
        found |= {"response_mask": mask, "factor": float(batch.ranks)}
        if self.wanted.advantages:
            found["advantages"] = padded["advantages"]
        if self.wanted.options["detector"] == "divergence":
            found["old"] = padded["old_log_probs"]
        if self.settings.send_tokens:
            found["tokens"] = self._texts(data)
        return found

    def report(self, data: Any, step: int) -> dict[str, Any]:
        """Return the numbers of the micro-batch that was scored last, and write its heat map when one is due."""
        assert self._scored is not None
        batch, carrying = self._scored
        score = self.client.last
        self._maps.write(step, score, lambda: self._texts(data))
        return numbers(score, self.client.skipped, batch.ranks, carrying)

    def _texts(self, data: Any) -> list[list[str]]:
        responses = data["responses"]
        rows = responses.unbind() if responses.is_nested else responses
        return texts(self.tokenizer, [row.tolist() for row in rows])
