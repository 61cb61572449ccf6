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
from perception_client.trainers.prompt_views import PromptViews


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
    monkeypatch.setattr(InProcessTrainer, "preset", None)
    without = gradient(InProcessTrainer, folder, batches[0], monkeypatch)
    apart, part = measuring.relative(ours, theirs), measuring.relative(ours, without)
    print(f"{preset}: gradients differ by {apart:.2g}; the perception loss is {part:.2g} of them")
    assert apart < 1e-5
    assert part > 1e-3


def test_grad_cache_needs_less_memory_than_direct(folder, batches, settings, monkeypatch):
    most = {}
    monkeypatch.setattr(InProcessTrainer, "preset", None)
    for mode in ("direct", "grad_cache", "none"):
        settings(mode="direct" if mode == "none" else mode)
        trainer = strategy.made(InProcessTrainer if mode == "none" else ActorPPOTrainer, folder)
        with measuring.Memory() as memory:
            strategy.step(trainer, batches[0])
        most[mode] = memory.most
    print("most bytes of tensors alive in a step:", most)
    assert most["none"] <= most["grad_cache"] < 0.9 * most["direct"]


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
    generate, make = rollouts.Engine.generate, PromptViews.make
    taken = []

    async def generates(*args, **named):
        await asyncio.sleep(1.0)
        return await generate(*args, **named)

    def timed(*args):
        taken.append(make(*args))
        return taken[-1]

    monkeypatch.setattr(rollouts.Engine, "generate", generates)
    monkeypatch.setattr(PromptViews, "make", timed)
    said = rollouts.responses(executor, words, tiny_model.rows(4, seed=60))
    waited = sum(r["extra_logs"]["perception/views_waited"] for r in said) / len(said)
    whole = sum(made.seconds for made in taken)
    print(f"views of {len(taken)} prompts took {1e3 * whole:.1f} ms; a rollout waited {1e3 * waited:.2f} ms for its own")
    assert waited < 0.2 * whole
