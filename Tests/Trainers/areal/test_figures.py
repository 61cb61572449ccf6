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
from perception_client.trainers.prompt_views import PromptViews


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
    apart, part = measuring.relative(ours, theirs), measuring.relative(ours, without)
    print(f"{preset}: gradients differ by {apart:.2g}; the perception loss is {part:.2g} of them")
    assert apart < 1e-5
    assert part > 1e-3


def test_grad_cache_needs_less_memory_than_direct(folder, batches, settings):
    most = {}
    for mode in ("direct", "grad_cache", "none"):
        settings(mode="direct" if mode == "none" else mode)
        engine = training.made(InProcessActor if mode == "none" else PerceptionPPOActor, folder)
        engine.preset = None
        with measuring.Memory() as memory:
            training.step(engine, batches[0])
        most[mode] = memory.most
    print("most bytes of tensors alive in a step:", most)
    assert most["none"] <= most["grad_cache"] < 0.9 * most["direct"]


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
    generate, make = rollouts.Engine.agenerate, PromptViews.make
    taken = []

    async def generates(*args):
        await asyncio.sleep(1.0)
        return await generate(*args)

    def timed(*args):
        taken.append(make(*args))
        return taken[-1]

    monkeypatch.setattr(rollouts.Engine, "agenerate", generates)
    monkeypatch.setattr(PromptViews, "make", timed)
    stats_tracker.export_all()
    rollouts.batch(workflow, 30, rows=4)
    waited = stats_tracker.export_all()["rollout/perception/views_waited"]
    whole = sum(made.seconds for made in taken)
    print(f"views of {len(taken)} prompts took {1e3 * whole:.1f} ms; a rollout waited {1e3 * waited:.2f} ms for its own")
    assert waited < 0.2 * whole
