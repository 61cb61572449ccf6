"""Numbers and heat maps of the loss for a trainer's log."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..results import VIEWS, Score
from .needs import Needs

log = logging.getLogger("perception_client")
PREFIX = "perception/"
# The batch's counts and means that are worth a curve.
CURVES = (
    "tokens",
    "candidates",
    "selected",
    "gated",
    "mean_delta_entropy",
    "mean_contrast",
    "clamped_fraction",
)


def metrics(score: Score, skipped: int = 0, prefix: str = PREFIX) -> dict[str, float]:
    """Return a loss's numbers by their names in the log.

    Args:
        score: `client.last`.
        skipped: `client.skipped`, the number of losses skipped so far.
        prefix: of every name, which differs between trainers.

    Returns:
        `loss` before its coefficient, `objective` (what is added to the policy loss), the diagnostics' counts and means,
        `server_ms` and `skipped`. A skipped loss has only `skipped`, so that no curve shows a loss of 0.
    """
    if score.skipped:
        return {f"{prefix}skipped": float(skipped)}
    said = score.diagnostics
    found: dict[str, float] = {"loss": score.loss, "objective": score.objective, "skipped": float(skipped)}
    found |= {name: float(said[name]) for name in CURVES if said.get(name) is not None}
    for pair, share in (said.get("equal_views") or {}).items():
        # Of no tokens there is no share, as where a rank has no pictures.
        if share is not None:
            found[f"equal_views/{pair}"] = float(share)
    for view, value in (score.scalars.get("entropy_loss") or {}).items():
        found[f"entropy_loss/{view}"] = float(value)
    if score.server_ms is not None:
        found["server_ms"] = score.server_ms
    return {prefix + name: value for name, value in found.items()}


def names(wanted: Needs, prefix: str = PREFIX) -> set[str]:
    """Return every name that `metrics` may use for a preset: the same on every rank, whatever a batch holds."""
    pairs = [f"{a}_{b}" for i, a in enumerate(VIEWS) for b in VIEWS[i + 1 :]]
    found = {"loss", "objective", "skipped", "server_ms", *CURVES, *(f"equal_views/{p}" for p in pairs)}
    found |= {
        f"entropy_loss/{view}" for view, c in (wanted.options["entropy_coefficients"] or {}).items() if c
    }
    return {prefix + name for name in found}


class HeatMaps:
    """Writes a heat map of the tokens as an HTML file every few steps.

    Args:
        folder: where files such as `step-000200.html` go. It is created with the first one.
        every: steps from one to the next; 0 writes none.
        rank: this process's number; only rank 0 writes.
    """

    def __init__(self, folder: str | Path, every: int, rank: int = 0) -> None:
        self.folder = Path(folder)
        self.every = every
        self.rank = rank
        self._last: int | None = None

    def due(self, step: int) -> bool:
        """Whether this step should have a heat map and has none yet."""
        return self.every > 0 and self.rank == 0 and step % self.every == 0 and step != self._last

    def write(
        self, step: int, score: Score, tokens: Callable[[], Sequence[Any]] | None = None
    ) -> Path | None:
        """Write the heat map of a step if it is due, and log it in wandb if a run is active.

        If a heat map cannot be made, this logs a warning, and training continues.

        Args:
            step: the trainer's.
            score: `client.last`. A second request fetches arrays that the loss did not request.
            tokens: returns the text of each token, B lists. It is called only if the map is due.
        """
        if not self.due(step) or score.skipped:
            return None
        self._last = step
        file = self.folder / f"step-{step:06d}.html"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file.write_text(score.to_html(tokens() if tokens else None), encoding="utf-8")
        except Exception as error:
            log.warning("no heat map of step %d: %s", step, error)
            return None
        _to_wandb({f"{PREFIX}heat_map": file})
        return file


def texts(tokenizer: Any, ids: Any) -> list[list[str]]:
    """Return the text of each token of ids [B,T], as the heat map shows it."""
    return [[tokenizer.decode([int(i)]) for i in row] for row in ids]


def _to_wandb(files: Mapping[str, Path]) -> None:
    # Only where the trainer uses it: it is never imported here.
    wandb = sys.modules.get("wandb")
    if wandb is not None and getattr(wandb, "run", None) is not None:
        wandb.log({name: wandb.Html(str(file)) for name, file in files.items()}, commit=False)
