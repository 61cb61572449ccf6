"""Preset vppo: AReaL's token advantages are scaled and left out before its update."""

import pytest
import torch
import training
from areal.api.cli_args import MicroBatchSpec
from in_process_actor import InProcessActor
from test_steps import TOLERANCE, compared, without_pictures

import outages
from perception_client.trainers.areal import PerceptionPPOActor


@pytest.mark.parametrize("mode", ["direct", "grad_cache"])
def test_parameters_after_three_steps_equal_those_of_the_loss_in_process(folder, batches, settings, mode, monkeypatch):
    settings(preset="vppo", mode=mode)
    apart, from_none, said = compared(folder, batches, monkeypatch, "vppo")
    assert apart < TOLERANCE
    assert from_none > 10 * TOLERANCE
    assert all(s["ppo_actor/update/perception/gated"] > 0 for s in said)


SCALED = '{"advantage_shaping": "dependency"}'


@pytest.mark.parametrize("mode", ["direct", "grad_cache"])
def test_an_option_scales_the_advantages_of_another_preset(folder, batches, settings, mode, monkeypatch):
    """The removing view has a gradient there, and the scale is of what the old policy says of it."""
    settings(preset="cppo-verl", mode=mode, options=SCALED)
    monkeypatch.setattr(InProcessActor, "scaled", True)
    apart, from_none, said = compared(folder, batches, monkeypatch, "cppo-verl")
    assert apart < TOLERANCE
    assert from_none > 10 * TOLERANCE
    assert all(s["ppo_actor/update/perception/gated"] > 0 for s in said)


def test_a_view_whose_entropies_are_used_has_its_own_pass(folder, batches, settings):
    """The old policy's log-probabilities alone would leave the detector without its entropies."""
    found = []
    for options in ('{"detector": "entropy"}', '{"detector": "entropy", "advantage_shaping": "dependency"}'):
        settings(preset="papo-g", options=options)
        _, (said,), _ = training.trained(PerceptionPPOActor, folder, batches[:1])
        found.append({name: said[f"ppo_actor/update/perception/{name}"] for name in ("loss", "gated", "candidates")})
    assert found[0] == pytest.approx(found[1], rel=1e-6) and 0 < found[0]["gated"] < found[0]["candidates"]


def test_rows_without_a_picture_keep_their_advantages(folder, batches, settings, monkeypatch):
    settings(preset="vppo")
    mixed = [[*batch, without_pictures(batch[0])] for batch in batches]
    apart, from_none, _ = compared(folder, mixed, monkeypatch, "vppo", mb_spec=MicroBatchSpec(n_mbs=6))
    assert apart < TOLERANCE
    assert from_none > 10 * TOLERANCE


def test_old_log_probabilities_that_areal_does_not_compute_are_computed(folder, batches, settings, monkeypatch):
    """Without recompute_logprob, AReaL's old ones are the inference engine's, which knows nothing of the views."""
    settings(preset="vppo")
    engine = training.made(PerceptionPPOActor, folder)
    mine = [dict(one) for one in batches[0]]
    known = [dict(one, prox_logp=x) for one, x in zip(mine, engine.compute_logp(mine), strict=True)]
    wanted = engine.compute_advantages(known)
    bare = training.made(PerceptionPPOActor, folder, recompute_logprob=False)
    found = bare.compute_advantages([dict(one) for one in batches[0]])
    for one, other in zip(found, wanted, strict=True):
        assert torch.allclose(one["advantages"], other["advantages"], atol=1e-6)
        assert not torch.equal(one["advantages"], one["perception_own_advantages"])


def test_a_shape_that_cannot_be_had_leaves_the_policy_loss(folder, batches, settings, restartable, monkeypatch):
    settings(preset="vppo", url=restartable.url, on_error="skip", deadline=1)
    monkeypatch.setattr(InProcessActor, "preset", None)
    without, _, _ = training.trained(InProcessActor, folder, batches[:1])
    engine = training.made(PerceptionPPOActor, folder)
    outages.skipped(training, engine, batches[:1], restartable, without)
    # The shape, and the loss of four micro-batches.
    assert engine.client.skipped == 5
