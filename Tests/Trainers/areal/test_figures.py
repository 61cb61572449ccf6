"""Gradients, memory, and the time that a step spends on the perception loss; `-s` prints them."""

import pytest
import rollouts
import torch
import training
from areal.utils import stats_tracker
from in_process_actor import InProcessActor

import measuring
from perception_client.trainers.areal import PerceptionPPOActor


def gradient(cls, folder, batch, monkeypatch):
    """The gradient [N] that reaches the optimizer in the first step."""
    engine = training.made(cls, folder)
    found = []
    own = engine.optimizer_step

    def look():
        grads = [p.grad for p in engine.model.parameters() if p.grad is not None]
        whole = [g.full_tensor() if hasattr(g, "full_tensor") else g for g in grads]
        found.append(torch.cat([g.double().reshape(-1) for g in whole]))
        return own()

    monkeypatch.setattr(engine, "optimizer_step", look)
    training.step(engine, batch)
    return found[0]


@pytest.mark.parametrize("preset", ["cppo-verl", "cppo-areal", "papo-g"])
def test_gradients_equal_those_of_the_loss_in_process(folder, batches, settings, monkeypatch, preset):
    settings(preset=preset)
    monkeypatch.setattr(InProcessActor, "preset", preset)
    ours, theirs = (gradient(c, folder, batches[0], monkeypatch) for c in (PerceptionPPOActor, InProcessActor))
    monkeypatch.setattr(InProcessActor, "preset", None)
    without = gradient(InProcessActor, folder, batches[0], monkeypatch)
    measuring.compare_gradients(preset, ours, theirs, without)


def test_grad_cache_needs_less_memory_than_direct(folder, batches, settings):
    def step(mode):
        settings(mode="direct" if mode == "none" else mode)
        engine = training.made(InProcessActor if mode == "none" else PerceptionPPOActor, folder)
        engine.preset = None
        with measuring.Memory() as memory:
            training.step(engine, batches[0])
        return memory.most

    measuring.compare_memory(step)


def test_the_share_of_a_step(folder, batches, settings):
    engine = training.made(PerceptionPPOActor, folder)
    training.step(engine, batches[0])
    assert measuring.share_of(engine.client, lambda: training.step(engine, batches[1])) == 4


def test_rollouts_do_not_wait_for_views_that_are_made_while_they_generate(workflow, monkeypatch):
    def waited():
        stats_tracker.export_all()
        rollouts.batch(workflow, 30, rows=4)
        return stats_tracker.export_all()["rollout/perception/views_waited"]

    measuring.compare_waiting(monkeypatch, rollouts.Engine, "agenerate", waited)
