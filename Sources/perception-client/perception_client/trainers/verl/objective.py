"""A training worker's requests, and its reports of the answers. B rows, T response positions."""

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
from .rows import OWN_ADVANTAGES, Carrying

FOLDER = "PERCEPTION_HEATMAP_FOLDER"


class Objective:
    """The perception loss of one training worker.

    Args:
        settings: the run's.
        rank: of this worker; rank 0 writes heat maps.
        tokenizer: the model's, for the text of tokens.

    Attributes:
        client: sends the requests. If errors are skipped, all ranks of the default process group skip together.
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
            ValueError: it needs something that verl's engine or this adapter does not have.
        """
        found = self.settings.needs(self.client)
        if found.rewards:
            raise ValueError(
                f"preset {self.settings.preset} has a gate on rewards, which verl's engine does not see"
            )
        return found

    def arguments(self, data: Any, loss_function: Any, carrying: Carrying) -> dict[str, Any]:
        """Return the arguments of `modes.direct` and `modes.cached` for one micro-batch.

        Args:
            data: verl's micro-batch.
            loss_function: the trainer's; verl binds the actor's configuration to it.
            carrying: which rows may carry loss.
        """
        config = getattr(loss_function, "keywords", {}).get("config")
        names = ("response_mask", "advantages", "old_log_probs", OWN_ADVANTAGES)
        padded = data.select(*names, strict=False).to_padded_tensor()
        mask = padded["response_mask"].bool()
        mask = mask & carrying.rows.to(mask.device)[:, None]
        batch = MiniBatch.of(data, config, self.settings.options.get("aggregation"))
        self._scored = batch, carrying
        found = self.settings.loss | options(batch, self.wanted, mask)
        found |= {"response_mask": mask, "factor": float(batch.ranks)}
        if self.settings.shows_advantages(self.wanted):
            found["advantages"] = padded.get(OWN_ADVANTAGES, padded["advantages"])
        if self.wanted.options["detector"] == "divergence":
            found["old"] = padded["old_log_probs"]
        if self.settings.send_tokens:
            found["tokens"] = self._texts(data)
        return found

    def report(self, data: Any, step: int) -> dict[str, Any]:
        """Return the numbers of the micro-batch that was scored last, and write its heat map if one is due."""
        assert self._scored is not None
        batch, carrying = self._scored
        score = self.client.last
        self._maps.write(step, score, lambda: self._texts(data))
        return numbers(score, self.client.skipped, batch.ranks, carrying)

    def _texts(self, data: Any) -> list[list[str]]:
        responses = data["responses"]
        rows = responses.unbind() if responses.is_nested else responses
        return texts(self.tokenizer, [row.tolist() for row in rows])
