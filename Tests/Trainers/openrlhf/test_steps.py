"""Three steps of OpenRLHF's `ppo_train` – replay buffer, two micro-batches a step, DeepSpeed – against a running server."""

import pytest
import rollouts
import strategy
import torch
from in_process_trainer import InProcessTrainer
from openrlhf.trainer.ray.ppo_actor import ActorPPOTrainer

import measuring
import outages
from perception_client.trainers import reporting

TOLERANCE = 1e-5


def compared(folder, batches, monkeypatch, preset="cppo-verl", **more):
    """The largest difference to the loss in process, and to no perception loss; the statuses of both ours and the last."""
    ours, said, trainer = strategy.trained(ActorPPOTrainer, folder, batches, **more)
    assert reporting.names(trainer.wanted) <= set(said[0])
    others = []
    for reference in (preset, None):
        monkeypatch.setattr(InProcessTrainer, "preset", reference)
        others.append(strategy.trained(InProcessTrainer, folder, batches, **more))
    apart = [float((ours - other[0]).abs().max()) for other in others]
    print(f"{preset}: {apart[0]:.2g} from the loss in process, {apart[1]:.2g} from none")
    return *apart, said, others[1][1]


def test_install_has_exchanged_the_class():
    assert ActorPPOTrainer.__name__ == "PerceptionActorPPOTrainer"


@pytest.mark.parametrize("preset", ["cppo-verl", "cppo-areal", "papo-g", "bips-consistency"])
def test_parameters_after_three_steps_equal_those_of_the_loss_in_process(folder, batches, settings, preset, monkeypatch):
    settings(preset=preset)
    apart, from_none, said, policy = compared(folder, batches, monkeypatch, preset)
    assert apart < TOLERANCE
    assert from_none > 10 * TOLERANCE
    assert said[0]["perception/tokens"] > 0
    # The first step's policy is the same: the number that users know is still the policy loss alone.
    assert said[0]["policy_loss"] == pytest.approx(policy[0]["policy_loss"], abs=1e-6)


@pytest.mark.parametrize("stage", [0, 1, 3])
def test_every_stage_of_zero(folder, batches, settings, stage, monkeypatch):
    apart, from_none, *_ = compared(folder, batches, monkeypatch, stage=stage)
    assert apart < TOLERANCE
    assert from_none > 10 * TOLERANCE


def test_rows_without_a_picture_and_with_several(folder, executor, words, actor, settings, monkeypatch):
    mixed = [
        rollouts.experiences(executor, words, actor, rows=3, pictures_of_row=(1, 0, 2), seed=10 + s) for s in range(3)
    ]
    apart, from_none, _, _ = compared(folder, mixed, monkeypatch, batch=6)
    assert apart < TOLERANCE
    assert from_none > 10 * TOLERANCE


def test_rows_without_a_picture_alone(folder, executor, words, actor, settings, monkeypatch):
    text = [rollouts.experiences(executor, words, actor, pictures_of_row=0, seed=s) for s in range(3)]
    ours, said, _ = strategy.trained(ActorPPOTrainer, folder, text)
    monkeypatch.setattr(InProcessTrainer, "preset", None)
    theirs, _, _ = strategy.trained(InProcessTrainer, folder, text)
    assert torch.equal(ours, theirs)
    assert said[0]["perception/tokens"] == 0


@pytest.mark.parametrize("stage", [2, 3])
def test_grad_cache_makes_the_parameters_of_direct(folder, batches, settings, stage):
    direct, _, _ = strategy.trained(ActorPPOTrainer, folder, batches, stage=stage)
    settings(mode="grad_cache")
    cached, _, _ = strategy.trained(ActorPPOTrainer, folder, batches, stage=stage)
    assert (direct - cached).abs().max() < 1e-6


def test_advantages_go_with_the_tokens_text(folder, batches, settings):
    """PAPO's loss has no use for them; people who look at the batch have."""
    settings(preset="papo-g", send_tokens=1)
    trainer = strategy.made(ActorPPOTrainer, folder)
    trainer.tokenizer = rollouts.processor(folder)
    asked = measuring.requests(trainer.client)
    strategy.step(trainer, batches[0])
    assert len(asked) == 2
    assert all(one["advantages"].shape == one["response_mask"].shape and one["tokens"] for one in asked)


def test_a_server_that_dies_and_returns_leaves_the_parameters_bit_identical(folder, batches, settings, restartable):
    settings(url=restartable.url)
    undisturbed, _, _ = strategy.trained(ActorPPOTrainer, folder, batches)
    trainer = strategy.made(ActorPPOTrainer, folder)
    assert torch.equal(undisturbed, outages.parameters_after(strategy, trainer, batches, restartable))


def test_a_loss_that_cannot_be_had_is_skipped(folder, batches, settings, restartable, monkeypatch):
    settings(url=restartable.url, on_error="skip", deadline=1)
    monkeypatch.setattr(InProcessTrainer, "preset", None)
    without, _, _ = strategy.trained(InProcessTrainer, folder, batches)
    trainer = strategy.made(ActorPPOTrainer, folder)
    said = outages.skipped(strategy, trainer, batches, restartable, without)
    assert trainer.client.skipped == 6
    assert said[2]["perception/skipped"] > said[0]["perception/skipped"] > 0


def test_heat_maps_are_beside_the_checkpoints(folder, batches, settings, monkeypatch, tmp_path):
    settings(heatmap_every=2, send_tokens=1)
    trainer = strategy.made(ActorPPOTrainer, folder)
    trainer.args.ckpt = strategy.Names(output_dir=str(tmp_path))
    trainer.tokenizer = rollouts.processor(folder)
    for batch in batches:
        strategy.step(trainer, batch)
    written = sorted(file.name for file in (tmp_path / "perception").iterdir())
    assert written == ["step-000002.html", "step-000004.html", "step-000006.html"]
