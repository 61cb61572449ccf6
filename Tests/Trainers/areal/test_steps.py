"""Three steps of AReaL's actor – compute_logp, compute_advantages, ppo_update – against a running server."""

import copy
import pathlib

import pytest
import rollouts
import torch
import training
from areal.api.cli_args import MicroBatchSpec
from in_process_actor import InProcessActor

import measuring
import outages
from perception_client.trainers.areal import PerceptionPPOActor

TOLERANCE = 1e-5


def compared(folder, batches, monkeypatch, preset="cppo-verl", **more):
    """The largest difference to the loss in process, and to no perception loss; each step's statistics."""
    ours, said, _ = training.trained(PerceptionPPOActor, folder, batches, **more)
    others = []
    for reference in (preset, None):
        monkeypatch.setattr(InProcessActor, "preset", reference)
        others.append(training.trained(InProcessActor, folder, batches, **more)[0])
    apart = [float((ours - other).abs().max()) for other in others]
    print(f"{preset}: {apart[0]:.2g} from the loss in process, {apart[1]:.2g} from none")
    return *apart, said


@pytest.mark.parametrize("preset", ["cppo-verl", "cppo-areal", "papo-g"])
def test_parameters_after_three_steps_equal_those_of_the_loss_in_process(folder, batches, settings, preset, monkeypatch):
    settings(preset=preset)
    apart, from_none, said = compared(folder, batches, monkeypatch, preset)
    assert apart < TOLERANCE
    assert from_none > 10 * TOLERANCE
    assert all(s["ppo_actor/update/perception/loss__count"] == 4 for s in said)


def test_several_pictures_a_row_and_several_minibatches(folder, workflow, settings, monkeypatch):
    batches = [rollouts.batch(workflow, version, pictures_of_row=2) for version in range(3)]
    longest = max(t["attention_mask"].shape[1] for batch in batches for t in batch)
    one_row = MicroBatchSpec(n_mbs=1, max_tokens_per_mb=longest)
    apart, from_none, said = compared(folder, batches, monkeypatch, ppo_n_minibatches=2, mb_spec=one_row)
    assert apart < TOLERANCE
    assert from_none > 10 * TOLERANCE
    assert all(s["ppo_actor/update/grad_norm__count"] == 2 for s in said)


def test_rows_without_a_picture_carry_no_perception_loss(folder, batches, settings, monkeypatch):
    mixed = [[*batch, without_pictures(batch[0])] for batch in batches]
    more = {"mb_spec": MicroBatchSpec(n_mbs=6)}
    apart, from_none, said = compared(folder, mixed, monkeypatch, **more)
    assert apart < TOLERANCE
    assert from_none > 10 * TOLERANCE
    assert all(s["ppo_actor/update/perception/loss__count"] == 4 for s in said)


def test_grad_cache_makes_the_parameters_of_direct(folder, batches, settings):
    direct, _, _ = training.trained(PerceptionPPOActor, folder, batches)
    settings(mode="grad_cache")
    cached, _, _ = training.trained(PerceptionPPOActor, folder, batches)
    assert (direct - cached).abs().max() < 1e-6


def test_each_trajectory_keeps_its_own_pictures(folder, batches, settings):
    engine = training.made(PerceptionPPOActor, folder)
    trajectories = [dict(one) for one in batches[0]]
    for one, log_probs in zip(trajectories, engine.compute_logp(trajectories), strict=True):
        one["prox_logp"] = log_probs
    for before, after in zip(batches[0], engine.compute_advantages(trajectories), strict=True):
        for name in ("multi_modal_input", "multi_modal_input_view_removing"):
            assert len(after[name]) == rollouts.GROUP
            assert after[name][0]["pixel_values"].data_ptr() == before[name][0]["pixel_values"].data_ptr()


def test_numbers_and_heat_maps_are_where_users_of_areal_look(folder, batches, settings, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    settings(heatmap_every=2, send_tokens=1)
    _, said, _ = training.trained(PerceptionPPOActor, folder, batches)
    for name in ("loss", "gated", "tokens", "server_ms", "skipped"):
        assert f"ppo_actor/update/perception/{name}" in said[0]
    assert said[0]["ppo_actor/update/perception/tokens"] > 0
    written = sorted(pathlib.Path("perception/test/one").iterdir())
    assert [file.name for file in written] == ["step-000000.html", "step-000002.html"]
    assert "<html" in written[0].read_text()


def test_advantages_go_with_the_tokens_text(folder, batches, settings):
    """PAPO's loss has no use for them; people who look at the batch have."""
    settings(preset="papo-g", send_tokens=1)
    engine = training.made(PerceptionPPOActor, folder)
    asked = measuring.requests(engine.client)
    training.step(engine, batches[0])
    assert len(asked) == 4
    assert all(one["advantages"].shape == one["response_mask"].shape and one["tokens"] for one in asked)


def test_a_server_that_dies_and_returns_leaves_the_parameters_bit_identical(folder, batches, settings, restartable):
    settings(url=restartable.url)
    undisturbed, _, _ = training.trained(PerceptionPPOActor, folder, batches)
    engine = training.made(PerceptionPPOActor, folder)
    assert torch.equal(undisturbed, outages.parameters_after(training, engine, batches, restartable))


def test_a_loss_that_cannot_be_had_is_skipped(folder, batches, settings, restartable, monkeypatch):
    settings(url=restartable.url, on_error="skip", deadline=1)
    monkeypatch.setattr(InProcessActor, "preset", None)
    without, _, _ = training.trained(InProcessActor, folder, batches)
    engine = training.made(PerceptionPPOActor, folder)
    said = outages.skipped(training, engine, batches, restartable, without)
    assert engine.client.skipped == 12
    assert said[2]["ppo_actor/update/perception/skipped"] == pytest.approx((9 + 10 + 11 + 12) / 4)
    assert "ppo_actor/update/perception/loss" not in said[2]


def without_pictures(trajectory):
    """The same rollouts as of a prompt without its picture."""
    keep = ~trajectory["mm_token_type_ids"].bool()[0]
    assert all(torch.equal(keep, ~row.bool()) for row in trajectory["mm_token_type_ids"])
    row = {k: v[:, keep] if torch.is_tensor(v) and v.dim() == 2 else copy.copy(v) for k, v in trajectory.items()}
    return row | {k: [{} for _ in v] for k, v in row.items() if k.startswith("multi_modal_input")}
