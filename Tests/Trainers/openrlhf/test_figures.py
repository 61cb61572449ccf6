"""Gradients, memory, and the time that a step spends on the perception loss; `-s` prints them."""

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
    monkeypatch.setattr(InProcessTrainer, "preset", None)
    without = gradient(InProcessTrainer, folder, batches[0], monkeypatch)
    measuring.compare_gradients(preset, ours, theirs, without)


def test_grad_cache_needs_less_memory_than_direct(folder, batches, settings, monkeypatch):
    monkeypatch.setattr(InProcessTrainer, "preset", None)

    def step(mode):
        settings(mode="direct" if mode == "none" else mode)
        # Without ZeRO, whose buckets of gigabytes hide everything, and with Adam's state made before.
        trainer = strategy.made(InProcessTrainer if mode == "none" else ActorPPOTrainer, folder, stage=0)
        strategy.step(trainer, batches[0])
        with measuring.Memory() as memory:
            strategy.step(trainer, batches[0])
        return memory.most

    measuring.compare_memory(step)


def test_the_share_of_a_step(folder, batches, settings):
    trainer = strategy.made(ActorPPOTrainer, folder)
    strategy.step(trainer, batches[0])
    assert measuring.share_of(trainer.client, lambda: strategy.step(trainer, batches[1])) == 2


def test_rollouts_do_not_wait_for_views_that_are_made_while_they_generate(executor, words, monkeypatch):
    def waited():
        said = rollouts.responses(executor, words, tiny_model.rows(4, seed=60))
        return sum(r["extra_logs"]["perception/views_waited"] for r in said) / len(said)

    measuring.compare_waiting(monkeypatch, rollouts.Engine, "generate", waited)
