"""The service against the loss in the process, and against itself with its server killed.

The same run three times: with the server's loss; with the loss in plain PyTorch; with the server killed by SIGKILL twice
and started again while the client tries. Views come from the server in all three.
"""

from __future__ import annotations

import contextlib
import copy
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import serving
import torch
from torch import Tensor

import arms
from model import Model
from reinforcement import Batch, Said, Timed, Trainer
from study import REPOSITORY

sys.path[:0] = [str(REPOSITORY / "Tests" / part) for part in ("Trainers", "PerceptionClient/autograd")]
import in_process

STEPS = 100
AWAY = 1.5  # seconds between the end of a server and the next one


class Killable:
    """A server that can be killed and comes back at the same address."""

    def __init__(self, binary: str) -> None:
        self.binary = binary
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.kills = 0
        self.start()
        serving.wait_until_ready(self.url)

    def start(self) -> None:
        """Start it."""
        self.process = subprocess.Popen(
            [self.binary, "serve", "--port", str(self.port), "--threads", "1", "--log-level", "error"],
            env=serving.environment(), stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def kill(self) -> threading.Thread:
        """Kill it at once, and start it again a little later."""
        self.process.send_signal(signal.SIGKILL)
        assert self.process.wait(20) == -signal.SIGKILL
        self.kills += 1
        again = threading.Timer(AWAY, self.start)
        again.start()
        return again


@contextlib.contextmanager
def killable(binary: str) -> Iterator[Killable]:
    """A Killable that is gone afterwards."""
    server = Killable(binary)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait(20)


def in_the_process(trainer: Trainer, batch: Batch, original: Said) -> Tensor:
    """The preset cppo-verl written out in PyTorch, times its coefficient."""
    views = {"original": original} | {view: batch.said(trainer.model, view) for view in ("preserving", "removing")}
    log_probs = {view: s.log_probs for view, s in views.items()}
    entropy = {view: s.entropy for view, s in views.items()}
    return in_process.loss("cppo-verl", log_probs, entropy, batch.mask, batch.advantages)


def parameters(model: Model) -> Tensor:
    """All parameters as one vector."""
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def trained(
    start: Model, client: Timed, steps: int, added: Any = None, before: Callable[[int], None] = lambda step: None
) -> tuple[Tensor, int]:
    """Train a copy, and return its parameters and how many tokens carried loss."""
    trainer = Trainer(copy.deepcopy(start), 0, client, added)
    gated = 0
    for step in range(steps):
        before(step)
        gated += trainer.step(arms.named("cppo-verl")).gated
    return parameters(trainer.model), gated


def apart_in_float64(binary: str, start: Model, steps: int = STEPS) -> float:
    """Return the largest difference between service and process when the model computes in float64, the service in float32."""
    with killable(binary) as server:
        client = Timed(server.url, run="equality, float64")
        wide = copy.deepcopy(start).double()
        return float((trained(wide, client, steps)[0] - trained(wide, client, steps, in_the_process)[0]).abs().max())


def compared(binary: str, start: Model, steps: int = STEPS) -> dict[str, Any]:
    """Compare the three runs.

    Returns:
        `apart`: the largest difference of a parameter between service and process. `moved`: the largest change by the
        training. `without`: the largest difference to GRPO alone. `identical`: whether the run with a killed server left
        the same bits. `waited`: seconds of the longest of its steps.
    """
    with killable(binary) as server:
        client = Timed(server.url, run="equality")
        usual, gated = trained(start, client, steps)
        own, _ = trained(start, client, steps, in_the_process)
        without, _ = trained(start, client, steps, lambda trainer, batch, original: original.log_probs.sum() * 0)
        began: list[float] = []

        def disturb(step: int) -> None:
            began.append(time.monotonic())
            if step in (steps // 3, 2 * steps // 3):
                server.kill()

        disturbed, _ = trained(start, Timed(server.url, run="equality, killed"), steps, before=disturb)
        kills = server.kills
    return {
        "steps": steps, "gated": gated, "kills": kills,
        "apart": float((usual - own).abs().max()), "moved": float((usual - parameters(start)).abs().max()),
        "without": float((usual - without).abs().max()), "identical": bool(torch.equal(usual, disturbed)),
        "waited": max(b - a for a, b in pairwise(began)),
    }  # fmt: skip
