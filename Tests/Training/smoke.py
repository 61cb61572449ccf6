"""The study in two minutes: does training through the service work at all? Every check can fail."""

from __future__ import annotations

import math
import pathlib
import tempfile
import time

import torch

import arms
import detection
import equality
import jobs
import reinforcement
import study
import supervised
from recipes import REMOVING

STEPS = 3  # of each arm
EQUAL_STEPS = 6


def check(binary: str) -> None:
    """Run all checks. Raises AssertionError at the first that fails."""
    with tempfile.TemporaryDirectory() as folder, study.server(binary, 0) as url:
        small = jobs.Study(pathlib.Path(folder), url, STEPS)
        _said("supervised training")
        jobs.supervise(small, 0)
        model = supervised.checkpoint(small.folder, 0)
        _said("detector")
        found = detection.judged(reinforcement.Timed(url), model, jobs.held_out(200)["in"], 0, {"view": REMOVING["papo-removing"]})
        assert found["view"]["divergence"]["area"] > 0.9, found
        assert abs(found["view"]["random"]["area"] - 0.5) < 0.1, found
        ends = {}
        for name in arms.MAIN:
            _said(name)
            ends[name] = _trained(small, name)
        apart = {name: float((end - ends["grpo"]).abs().max()) for name, end in ends.items()}
        assert all(d > 1e-5 for name, d in apart.items() if arms.MAIN[name].options), apart
        assert apart["grpo-longer"] == 0, apart
        _said("the loss in the process, and a server that is killed")
        equal = equality.compared(binary, model, EQUAL_STEPS)
        assert equal["apart"] < 1e-5 < equal["without"] and equal["identical"] and equal["kills"] == 2, equal
    _said("passed")


def _trained(small: jobs.Study, name: str) -> torch.Tensor:
    """Train one arm for a few steps, and return its parameters."""
    trainer = reinforcement.Trainer(supervised.checkpoint(small.folder, 0), 0, reinforcement.Timed(small.url, run=f"smoke {name}"))
    for number in range(STEPS):
        step = trainer.step(arms.MAIN[name], later=number > 0)
        assert math.isfinite(step.loss) and 0.2 < step.reward < 0.9, step
        if arms.MAIN[name].options is not None:
            assert step.loss != 0 or name == "vppo", step
            assert step.selected > 0 and step.server > 0, step
    end = equality.parameters(trainer.model)
    assert end.isfinite().all()
    return end


def _said(what: str) -> None:
    print(f"{time.process_time():6.1f} s  {what}", flush=True)
