"""Preset vppo: advantages in OpenRLHF's replay buffer are scaled and left out before it trains with them."""

import pytest
import rollouts
import strategy
from in_process_trainer import InProcessTrainer
from openrlhf.trainer.ray.ppo_actor import ActorPPOTrainer
from test_steps import TOLERANCE, compared

import outages


@pytest.mark.parametrize("mode, stage", [("direct", 2), ("grad_cache", 2), ("direct", 3)])
def test_parameters_after_three_steps_equal_those_of_the_loss_in_process(
    folder, batches, settings, mode, stage, monkeypatch
):
    settings(preset="vppo", mode=mode)
    apart, from_none, said, _ = compared(folder, batches, monkeypatch, "vppo", stage=stage)
    assert apart < TOLERANCE
    assert from_none > 10 * TOLERANCE
    assert said[0]["perception/gated"] > 0


@pytest.mark.parametrize("mode", ["direct", "grad_cache"])
def test_an_option_scales_the_advantages_of_another_preset(folder, batches, settings, mode, monkeypatch):
    """The removing view has a gradient there, and the scale is of what the old policy says of it."""
    settings(preset="cppo-verl", mode=mode, options='{"advantage_shaping": "dependency"}')
    monkeypatch.setattr(InProcessTrainer, "scaled", True)
    apart, from_none, said, _ = compared(folder, batches, monkeypatch, "cppo-verl")
    assert apart < TOLERANCE
    assert from_none > 10 * TOLERANCE
    assert said[0]["perception/gated"] > 0


def test_a_view_whose_entropies_are_used_has_its_own_pass(folder, batches, settings):
    """The old policy's log-probabilities alone would leave the detector without its entropies."""
    found = []
    for options in ('{"detector": "entropy"}', '{"detector": "entropy", "advantage_shaping": "dependency"}'):
        settings(preset="papo-g", options=options)
        _, (said,), _ = strategy.trained(ActorPPOTrainer, folder, batches[:1])
        found.append({name: float(said[f"perception/{name}"]) for name in ("loss", "gated", "candidates")})
    assert found[0] == pytest.approx(found[1], rel=1e-6) and 0 < found[0]["gated"] < found[0]["candidates"]


def test_several_optimizer_steps_have_the_shape_of_all_rollouts(folder, batches, settings, monkeypatch):
    """Two steps of two rows: the second one's advantages still are by the policy before the first one's step."""
    settings(preset="vppo")
    apart, from_none, *_ = compared(folder, batches, monkeypatch, "vppo", micro=1, batch=2)
    assert apart < TOLERANCE
    assert from_none > 10 * TOLERANCE


def test_rows_without_a_picture_keep_their_advantages(folder, executor, words, actor, settings, monkeypatch):
    settings(preset="vppo")
    mixed = [
        rollouts.experiences(executor, words, actor, rows=3, pictures_of_row=(1, 0, 2), seed=10 + s) for s in range(3)
    ]
    apart, from_none, *_ = compared(folder, mixed, monkeypatch, "vppo", batch=6)
    assert apart < TOLERANCE
    assert from_none > 10 * TOLERANCE


def test_a_shape_that_cannot_be_had_leaves_the_policy_loss(folder, batches, settings, restartable, monkeypatch):
    settings(preset="vppo", url=restartable.url, on_error="skip", deadline=1)
    monkeypatch.setattr(InProcessTrainer, "preset", None)
    without, _, _ = strategy.trained(InProcessTrainer, folder, batches[:1])
    trainer = strategy.made(ActorPPOTrainer, folder)
    outages.skipped(strategy, trainer, batches[:1], restartable, without)
    # The shape, and the loss of two micro-batches.
    assert trainer.client.skipped == 3
