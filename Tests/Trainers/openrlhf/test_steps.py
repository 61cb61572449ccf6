"""Three optimizer steps of OpenRLHF's `ppo_train` on DeepSpeed, against a running server."""

import pytest
import stand_ins
import strategy
import rollouts
import tiny_model
import torch
from in_process_trainer import InProcessTrainer

import openrlhf.trainer.ray.ppo_actor as ppo_actor
from perception_client.trainers.openrlhf import install

TOLERANCE = 1e-5
install()


@pytest.fixture(scope="module", autouse=True)
def rank():
    strategy.alone()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_model.save(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def batches(folder, url):
    """Three batches of rollouts with the views of every preset: two prompts with two rollouts each."""
    words = rollouts.processor(folder)
    reward = folder / "reward.py"
    reward.write_text(rollouts.REWARD)
    executor = rollouts.Executor(remote_rm_url=str(reward), perception={"url": url, "seed": 3})
    actor = strategy.made(InProcessTrainer, folder).actor
    return [rollouts.experiences(executor, words, actor, seed=step) for step in range(3)]


@pytest.fixture
def settings(monkeypatch, url):
    def put(**named):
        for name, value in ({"url": url} | named).items():
            monkeypatch.setenv(f"PERCEPTION_{name.upper()}", str(value))

    put()
    return put


def trained(cls, folder, batches, **more):
    trainer = strategy.made(cls, folder, **more)
    said = []
    for batch in batches:
        torch.manual_seed(0)  # OpenRLHF shuffles the rows
        for one in batch:
            trainer.replay_buffer.append(rollouts.copied(one))
        said.append(trainer.ppo_train(0.0))
        trainer.replay_buffer.clear()
    return strategy.parameters(trainer), said


@pytest.mark.parametrize("preset", ["cppo-verl", "papo-g"])
def test_parameters_after_three_steps_equal_those_of_the_loss_in_process(folder, batches, settings, preset, monkeypatch):
    settings(preset=preset)
    ours, said = trained(ppo_actor.ActorPPOTrainer, folder, batches)
    monkeypatch.setattr(InProcessTrainer, "preset", preset)
    theirs, _ = trained(InProcessTrainer, folder, batches)
    monkeypatch.setattr(InProcessTrainer, "preset", None)
    without, policy = trained(InProcessTrainer, folder, batches)
    print(preset, "largest difference", float((ours - theirs).abs().max()), "without", float((ours - without).abs().max()))
    print(said[0])
    assert (ours - theirs).abs().max() < TOLERANCE
    assert (ours - without).abs().max() > 10 * TOLERANCE
    assert said[0]["policy_loss"] == pytest.approx(policy[0]["policy_loss"], abs=1e-6)
