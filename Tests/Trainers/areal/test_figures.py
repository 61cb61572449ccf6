"""Gradients, memory, and the time that a step spends on the perception loss; `-s` prints them."""

import asyncio
import time

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
    print(f"{preset}: gradients differ by {measuring.relative(ours, theirs):.2g}")
    assert measuring.relative(ours, theirs) < 1e-5


def test_grad_cache_keeps_less_than_direct(folder, batches, settings):
    most = {}
    for mode in ("direct", "grad_cache", "none"):
        settings(mode="direct" if mode == "none" else mode)
        engine = training.made(InProcessActor if mode == "none" else PerceptionPPOActor, folder)
        engine.preset = None
        with measuring.Kept() as kept:
            training.step(engine, batches[0])
        most[mode] = kept.most
    print("bytes kept for the backward pass:", most)
    assert most["none"] < most["grad_cache"] < 0.8 * most["direct"]


def test_the_share_of_a_step(folder, batches, settings):
    engine = training.made(PerceptionPPOActor, folder)
    training.step(engine, batches[0])
    calls = measuring.Calls(engine.client)
    begin = time.perf_counter()
    training.step(engine, batches[1])
    whole = time.perf_counter() - begin
    print(f"{calls.count} calls, {1e3 * calls.seconds:.1f} of {1e3 * whole:.0f} ms: {calls.seconds / whole:.1%}")
    assert calls.count == 4


def test_rollouts_do_not_wait_for_views_that_are_made_while_they_generate(workflow, monkeypatch):
    own = rollouts.Engine.agenerate
    waited = {}
    for seconds in (0.0, 1.0):

        async def generates(engine, request, seconds=seconds):
            await asyncio.sleep(seconds)
            return await own(engine, request)

        monkeypatch.setattr(rollouts.Engine, "agenerate", generates)
        stats_tracker.export_all()
        rollouts.batch(workflow, 30 + int(seconds), rows=4)
        waited[seconds] = stats_tracker.export_all()["rollout/perception/views_waited"]
    print("seconds that a rollout waits, by the seconds that it generates:", waited)
    assert waited[1.0] < max(0.01, 0.2 * waited[0.0])
