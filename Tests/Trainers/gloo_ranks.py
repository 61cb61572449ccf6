"""Two data-parallel ranks under gloo, in processes of their own, and what each of them does.

A trainer's `loop` is a module with `step(trainer, batch)` and `parameters(trainer)`.
"""

import os
import subprocess
import sys

import torch
from scripted import free_port

from perception_client import Unreachable

WORLD = 2
TOLERANCE = 1e-5
# What each run of `train` is, by its file's name: the presets of its steps, None for no perception loss.
RUNS = {"cppo": ["cppo-verl"] * 3, "vppo": ["vppo"] * 3, "skipped": ["cppo-verl", None, None]}


def started(script, folder, url):
    """Run `script FOLDER` as every rank, with RANK, WORLD_SIZE, … and PERCEPTION_URL set; returns what each printed."""
    variables = os.environ | {"PERCEPTION_URL": url, "WORLD_SIZE": str(WORLD), "MASTER_PORT": str(free_port())}
    ranks = [
        subprocess.Popen(
            [sys.executable, str(script), str(folder)], env=variables | {"RANK": str(r), "LOCAL_RANK": str(r)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for r in range(WORLD)
    ]  # fmt: skip
    try:
        said = [process.communicate(timeout=400)[0] for process in ranks]
    finally:
        for process in ranks:
            process.kill()
    assert [p.returncode for p in ranks] == [0] * WORLD, "\n".join(text[-4000:] for text in said)
    return said


def train(folder, made, loop):
    """Train one rank's share of FOLDER/batches.pt in each of the RUNS, and write the parameters to FOLDER/RUN.pt.

    In the run `skipped` rank 1, and only that, cannot reach the server any more after the first step.

    Args:
        folder: a path.
        made: makes the trainer.
        loop: the trainer's.
    """
    rank = int(os.environ["RANK"])
    ours = [batch[rank::WORLD] for batch in torch.load(folder / "batches.pt", weights_only=False)]
    for run, presets in RUNS.items():
        os.environ["PERCEPTION_PRESET"] = presets[0]
        trainer = made()
        trainer.client.on_error = "skip" if None in presets else "raise"
        for batch, preset in zip(ours, presets, strict=True):
            if preset is None and rank == 1:
                trainer.client.send = _unreachable
            loop.step(trainer, batch)
        whole = loop.parameters(trainer)  # every rank gathers them
        if rank == 0:
            torch.save(whole, folder / f"{run}.pt")
        print(f"{run}: {trainer.client.skipped} skipped")


def _unreachable(call):
    raise Unreachable("the network of this rank is down", 1)


def compare(folder, run, alone):
    """Check that a run's parameters are those that one process makes of all rows with the loss in process."""
    ours = torch.load(folder / f"{run}.pt")
    print(f"{run}: two ranks against one process:", float((ours - alone).abs().max()))
    assert (ours - alone).abs().max() < TOLERANCE
    others = [torch.load(folder / f"{other}.pt") for other in RUNS if other != run]
    assert all((ours - other).abs().max() > 10 * TOLERANCE for other in others)
