"""Two gloo ranks make the parameters that one process makes of all rows, also where a rank's rows have no tokens."""

import os
import pathlib
import subprocess
import sys

import pytest
import rollouts
import torch
import training
from in_process_actor import InProcessActor
from scripted import free_port

TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def four(workflow):
    """Three batches of four prompts: two for each rank. One row of the second rank has no response."""
    made = [rollouts.batch(workflow, version, rows=4, seed=7) for version in range(3)]
    for batch in made:
        batch[1]["loss_mask"][0] = 0
    return made


@pytest.fixture(scope="module")
def ranks(folder, four, url):
    torch.save(four, folder / "batches.pt")
    variables = os.environ | {"PERCEPTION_URL": url, "WORLD_SIZE": "2", "MASTER_PORT": str(free_port())}
    script = str(pathlib.Path(__file__).parent / "ranks.py")
    both = [
        subprocess.Popen(
            [sys.executable, script, str(folder)], env=variables | {"RANK": str(r), "LOCAL_RANK": str(r)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for r in range(2)
    ]  # fmt: skip
    try:
        said = [process.communicate(timeout=400)[0] for process in both]
    finally:
        for process in both:
            process.kill()
    assert [p.returncode for p in both] == [0, 0], "\n".join(text[-4000:] for text in said)
    return said


def alone(folder, batches, presets):
    """The parameters that one process makes with the loss in process; None: without a perception loss."""
    engine = training.made(InProcessActor, folder, rows=8)
    for batch, preset in zip(batches, presets, strict=True):
        engine.preset = preset
        training.step(engine, batch)
    return training.parameters(engine)


def test_two_ranks_make_the_parameters_of_one(folder, four, ranks):
    ours = torch.load(folder / "parameters.pt")
    theirs = alone(folder, four, ["cppo-verl"] * 3)
    print("two ranks against one process:", float((ours - theirs).abs().max()))
    assert (ours - theirs).abs().max() < TOLERANCE


def test_ranks_skip_together(folder, four, ranks):
    ours = torch.load(folder / "skipped.pt")
    theirs = alone(folder, four, ["cppo-verl", None, None])
    assert (ours - theirs).abs().max() < TOLERANCE
    assert all("skipped 8" in text for text in ranks)
