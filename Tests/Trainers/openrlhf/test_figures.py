"""Gradients, memory, and the time that a step spends on the perception loss; `-s` prints them."""

import asyncio
import time

import pytest
import rollouts
import strategy
import torch
from in_process_trainer import InProcessTrainer
from openrlhf.trainer.ray.ppo_actor import ActorPPOTrainer

import measuring
import tiny_model


def gradient(cls, folder, batch, monkeypatch):
    """The gradient [N] of the first step's first micro-batch, as DeepSpeed has it without ZeRO."""
    trainer = strategy.made(cls, folder, stage=0)
    found = []
    own = trainer.strategy.optimizer_step

    def look(*args, **named):
        grads = [p.grad for p in trainer.actor.model.module.parameters() if p.grad is not None]
        found.append(torch.cat([g.double().reshape(-1) for g in grads]))
        return own(*args, **named)

    monkeypatch.setattr(trainer.strategy, "optimizer_step", look)
    strategy.step(trainer, batch)
    return found[0]


@pytest.mark.parametrize("preset", ["cppo-verl", "cppo-areal", "papo-g"])
def test_gradients_equal_those_of_the_loss_in_process(folder, batches, settings, monkeypatch, preset):
    settings(preset=preset)
    monkeypatch.setattr(InProcessTrainer, "preset", preset)
    ours, theirs = (gradient(c, folder, batches[0], monkeypatch) for c in (ActorPPOTrainer, InProcessTrainer))
    print(f"{preset}: gradients differ by {measuring.relative(ours, theirs):.2g}")
    assert measuring.relative(ours, theirs) < 1e-5


def test_grad_cache_keeps_less_than_direct(folder, batches, settings, monkeypatch):
    most = {}
    monkeypatch.setattr(InProcessTrainer, "preset", None)
    for mode in ("direct", "grad_cache", "none"):
        settings(mode="direct" if mode == "none" else mode)
        trainer = strategy.made(InProcessTrainer if mode == "none" else ActorPPOTrainer, folder)
        with measuring.Kept() as kept:
            strategy.step(trainer, batches[0])
        most[mode] = kept.most
    print("bytes kept for the backward pass:", most)
    assert most["none"] < most["grad_cache"] < 0.8 * most["direct"]


def test_the_share_of_a_step(folder, batches, settings):
    trainer = strategy.made(ActorPPOTrainer, folder)
    strategy.step(trainer, batches[0])
    calls = measuring.Calls(trainer.client)
    begin = time.perf_counter()
    strategy.step(trainer, batches[1])
    whole = time.perf_counter() - begin
    print(f"{calls.count} calls, {1e3 * calls.seconds:.1f} of {1e3 * whole:.0f} ms: {calls.seconds / whole:.1%}")
    assert calls.count == 2


def test_rollouts_do_not_wait_for_views_that_are_made_while_they_generate(executor, words, monkeypatch):
    own = rollouts.Engine.generate
    waited = {}
    for seconds in (0.0, 1.0):

        async def generates(engine, *args, seconds=seconds, **named):
            await asyncio.sleep(seconds)
            return await own(engine, *args, **named)

        monkeypatch.setattr(rollouts.Engine, "generate", generates)
        said = rollouts.responses(executor, words, tiny_model.rows(4, seed=60 + int(seconds)))
        waited[seconds] = sum(r["extra_logs"]["perception/views_waited"] for r in said) / len(said)
    print("seconds that a rollout waits, by the seconds that it generates:", waited)
    assert waited[1.0] < max(0.01, 0.2 * waited[0.0])
