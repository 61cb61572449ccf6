"""Supervised training, until the model answers about half of new questions."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional as F

import pictures
from model import Model
from rollouts import accuracy

BATCH, RATE, WARM_UP = 128, 2e-3, 100
TARGET = 0.5  # of sampled answers to new questions
CHECKED_EVERY, CHECKED = 25, 512
LONGEST = 4000  # steps
EXPECTED = 700  # steps, for the progress bar


class Teaching:
    """A model, its optimizer, and pictures with right answers that it has not seen."""

    def __init__(self, model: Model, seed: list[int], warm_up: int = WARM_UP) -> None:
        self.model = model
        self.draw = np.random.default_rng(seed)
        self.adam = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
        self.warming = torch.optim.lr_scheduler.LambdaLR(self.adam, lambda step: min(1.0, (step + 1) / warm_up))

    def step(self) -> None:
        """Take one step."""
        batch = pictures.drawn(BATCH, self.draw)
        words = torch.from_numpy(batch.words)[:, None]
        logits = self.model.logits(self.model.look(torch.from_numpy(batch.pictures)), torch.from_numpy(batch.questions), words)
        loss = F.cross_entropy(logits.flatten(0, 2), words.flatten())
        self.adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.adam.step()
        self.warming.step()


def trained(seed: int, progress: Callable[[int, float], None] = lambda step, share: None) -> tuple[Model, list[list[float]]]:
    """Train a model from scratch. Returns it, and its accuracy as [step, share] pairs.

    Raises:
        RuntimeError: it has not reached TARGET after LONGEST steps.
    """
    torch.manual_seed(seed)
    checked = pictures.drawn(CHECKED, np.random.default_rng([seed, 2]))
    teaching = Teaching(Model(), [seed, 1])
    curve: list[list[float]] = []
    for step in range(1, LONGEST + 1):
        teaching.step()
        if step % CHECKED_EVERY == 0:
            share = accuracy(teaching.model, checked, step).sampled
            curve.append([step, share])
            progress(step, share)
            if share >= TARGET:
                return teaching.model, curve
    raise RuntimeError(f"seed {seed}: {share:.1%} right after {LONGEST} steps of supervised training, not {TARGET:.0%}")


def continued(model: Model, seed: list[int], steps: int) -> None:
    """Train on for so many steps."""
    teaching = Teaching(model, seed)
    for _ in range(steps):
        teaching.step()


def checkpoint(folder: pathlib.Path, seed: int) -> Model:
    """Read the model that supervised training left in a folder."""
    model = Model()
    model.load_state_dict(torch.load(folder / f"supervised-{seed}.pt", weights_only=True))
    return model
