"""One job is one model's training: supervised, or by reinforcement for one arm and seed. Each leaves a small JSON file.

A file that is there is not made again, so that a study that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import functools
import json
import os
import pathlib
import re
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch

import arms
import detection
import forces
import pictures
import reinforcement
import supervised
from model import Model
from recipes import PRESERVING, REMOVING
from rollouts import accuracy

TESTED, TESTED_OFTEN = 2000, 400  # pictures at the end, and along the way
TESTED_EVERY = 25  # steps
SIZED = 12  # steps that are timed to size the longer arm
JUDGED = 1000  # answers for the detector
LATER = (0, 100, 200, 300, 400)  # more steps of supervised training, one after another
CPPO_REMOVING = {"cppo-removing": "cppo-removing"}
CPPO = {"cppo-preserving": "cppo-preserving"} | CPPO_REMOVING

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Study:
    """What all jobs of a study share.

    Attributes:
        folder: of the files.
        url: of the running server.
        steps: of reinforcement.
    """

    folder: pathlib.Path
    url: str
    steps: int

    def file(self, kind: str, name: str, seed: int) -> pathlib.Path:
        """Where a job's result is."""
        return self.folder / f"{kind}-{re.sub('[^a-z0-9.]+', '-', name.lower()).strip('-')}-{seed}.json"


def write(path: pathlib.Path, found: Any) -> None:
    """Write a result whole or not at all."""
    part = path.with_suffix(f".part{os.getpid()}")
    part.write_text(json.dumps(found))
    part.rename(path)


@functools.cache
def held_out(count: int) -> dict[str, pictures.Examples]:
    """Return the pictures that no model is trained with, the same for all: of the training distribution and of another."""
    draw = np.random.default_rng(2**32)
    return {"in": pictures.drawn(count, draw), "out": pictures.drawn(count, draw, pictures.HELD_OUT)}


def tested(model: Model, sets: dict[str, pictures.Examples]) -> dict[str, dict[str, float]]:
    """Measure a model on each set."""
    return {name: asdict(accuracy(model, examples)) for name, examples in sets.items()}


def supervise(study: Study, seed: int, progress: Progress = lambda steps: None) -> None:
    """Train a model until it answers about half."""
    began, done = time.perf_counter(), 0

    def passed(step: int, _: float) -> None:
        nonlocal done
        progress(step - done)
        done = step

    model, curve = supervised.trained(seed, passed)
    torch.save(model.state_dict(), study.folder / f"supervised-{seed}.pt")
    found = {"seed": seed, "steps": curve[-1][0], "curve": curve, "wall": time.perf_counter() - began}
    write(study.file("supervised", "model", seed), found)


def examine(study: Study, seed: int, progress: Progress = lambda steps: None) -> None:
    """Judge the detector on the supervised model of a seed."""
    model = supervised.checkpoint(study.folder, seed)
    client = reinforcement.Timed(study.url, run=f"detector seed {seed}")
    found = {
        "seed": seed, "tested": tested(model, held_out(TESTED)), "under_views": under_views(client, model, seed, PRESERVING | REMOVING),
        "detector": detection.judged(client, model, held_out(JUDGED)["in"], seed, REMOVING),
        "pulls": forces.pulls(model, seed, client),
    }  # fmt: skip
    progress(1)
    write(study.file("examined", "model", seed), found)


def mature(study: Study, seed: int, progress: Progress = lambda steps: None) -> None:
    """Train a supervised model on, and judge the detector along the way: does it get better with the model?"""
    model = supervised.checkpoint(study.folder, seed)
    client = reinforcement.Timed(study.url, run=f"maturity seed {seed}")
    found = []
    for part, steps in enumerate(LATER):
        if steps:
            supervised.continued(model, [seed, 6, part], steps)
        progress(steps)
        judged = detection.judged(client, model, held_out(JUDGED)["in"], seed, CPPO_REMOVING | {"papo-removing": "papo-removing"})
        found.append({
            "greedy": accuracy(model, held_out(JUDGED)["in"]).greedy,
            "areas": {r: {s: judged[r][s]["area"] for s in (*detection.SCORES, "random")} for r in judged},
            "rise": {r: judged[r]["rise"] for r in judged},
        })  # fmt: skip
    write(study.file("mature", "model", seed), found)


def under_views(client: reinforcement.Timed, model: Model, seed: int, recipes: dict[str, Any]) -> dict[str, float]:
    """Accuracy when the model sees the view in place of the picture: what a preserving view keeps, and a removing one takes."""
    examples = held_out(TESTED_OFTEN)["in"]
    found = {"original": accuracy(model, examples).greedy}
    for name, recipe in recipes.items():
        views = client.views(list(examples.pictures), seed, {"view": recipe})["view"]
        found[name] = accuracy(model, replace(examples, pictures=np.stack(views))).greedy
    return found


def size(study: Study, seed: int) -> float:
    """Return how much longer a step of cppo-verl takes than one of GRPO: processor time of trainer and server."""
    took = {}
    for name in ("grpo", "cppo-verl"):
        model = supervised.checkpoint(study.folder, seed)
        trainer = reinforcement.Trainer(model, seed, reinforcement.Timed(study.url, run="sizing"))
        steps = [trainer.step(arms.named(name)) for _ in range(SIZED)]
        took[name] = statistics.median(s.cpu + s.server for s in steps[2:])
    return took["cppo-verl"] / took["grpo"]


def reinforce(study: Study, name: str, seed: int, longer: float, progress: Progress = lambda steps: None) -> None:
    """Train one arm from the supervised model of the seed."""
    arm = arms.named(name)
    model = supervised.checkpoint(study.folder, seed)
    client = reinforcement.Timed(study.url, run=f"{name} seed {seed}")
    trainer = reinforcement.Trainer(model, seed, client)
    often, finally_ = held_out(TESTED_OFTEN), held_out(TESTED)
    count = round(study.steps * longer) if arm.longer else study.steps
    curve = [{"step": 0} | tested(model, often)]
    steps: list[reinforcement.Step] = []
    for number in range(1, count + 1):
        steps.append(trainer.step(arm, later=number > count // 2))
        progress(1)
        if number % TESTED_EVERY == 0:
            curve.append({"step": number} | tested(model, often))
    columns = {
        column: [round(float(getattr(s, column)), 6) for s in steps]
        for column in ("reward", "loss", "gated", "selected", "selected_seen", "seen", "cpu", "wall", "service", "server")
    }
    found = {"arm": name, "seed": seed, "steps": count, "tested": tested(model, finally_), "curve": curve, "columns": columns}
    if name in arms.MAIN:
        found["under_views"] = under_views(client, model, seed, CPPO)
        found["detector"] = detection.judged(client, model, held_out(JUDGED)["in"], seed, CPPO_REMOVING)
    write(study.file("arm", name, seed), found)
