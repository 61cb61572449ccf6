"""Two gloo ranks make the parameters that one process makes of all rows."""

import pathlib

import pytest
import rollouts
import strategy
import torch
from in_process_trainer import InProcessTrainer

import gloo_ranks


@pytest.fixture(scope="module")
def four(executor, words, actor):
    """Three batches of four prompts: four rows, each a micro-batch, for each of two ranks."""
    return [rollouts.experiences(executor, words, actor, rows=4, seed=20 + step) for step in range(3)]


@pytest.fixture(scope="module")
def ranks(folder, four, url):
    torch.save(four, folder / "batches.pt")
    return gloo_ranks.started(pathlib.Path(__file__).parent / "ranks.py", folder, url)


def alone(folder, batches, presets):
    """The parameters that one process makes with the loss in process."""
    trainer = strategy.made(InProcessTrainer, folder, micro=1, batch=8)
    trainer.ranks = gloo_ranks.WORLD
    for batch, preset in zip(batches, presets, strict=True):
        trainer.preset = preset
        strategy.step(trainer, batch)
    return strategy.parameters(trainer)


@pytest.mark.parametrize("run", gloo_ranks.RUNS)
def test_two_ranks_make_the_parameters_of_one(folder, four, ranks, run):
    gloo_ranks.compare(folder, run, alone(folder, four, gloo_ranks.RUNS[run]))


def test_ranks_skip_together(ranks):
    assert all("skipped: 8 skipped" in text for text in ranks)
