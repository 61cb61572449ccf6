"""Two gloo ranks make the parameters that one process makes of all rows, also where a rank's rows have no tokens."""

import pathlib

import pytest
import rollouts
import torch
import training
from in_process_actor import InProcessActor

import gloo_ranks


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
    return gloo_ranks.started(pathlib.Path(__file__).parent / "ranks.py", folder, url)


def alone(folder, batches, presets):
    """The parameters that one process makes with the loss in process; None: without a perception loss."""
    engine = training.made(InProcessActor, folder, rows=8)
    engine.ranks = gloo_ranks.WORLD
    for batch, preset in zip(batches, presets, strict=True):
        engine.preset = preset
        training.step(engine, batch)
    return training.parameters(engine)


@pytest.mark.parametrize("run", gloo_ranks.RUNS)
def test_two_ranks_make_the_parameters_of_one(folder, four, ranks, run):
    gloo_ranks.compare(folder, run, alone(folder, four, gloo_ranks.RUNS[run]))


def test_ranks_skip_together(ranks):
    assert all("skipped: 8 skipped" in text for text in ranks)
