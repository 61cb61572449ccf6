"""What the training step refuses, and what it says one should do."""

import pytest
import strategy
from openrlhf.trainer.ray.ppo_actor import ActorPPOTrainer

from perception_client.trainers.openrlhf import install
from perception_client.trainers.versions import UntestedTrainer


def test_rollouts_without_views_are_refused(folder, batches, settings):
    bare = [strategy.copied(one) for one in batches[0]]
    for one in bare:
        one.mm_train_inputs = [{k: v for k, v in one.mm_train_inputs[0].items() if "perception" not in k}]
    with pytest.raises(ValueError, match="rows with pictures and without views of them: let --train.agent_func_path name"):
        strategy.step(strategy.made(ActorPPOTrainer, folder), bare)


def test_presets_that_change_the_policy_loss_are_refused(folder, batches, settings):
    settings(preset="vppo")
    with pytest.raises(ValueError, match="preset vppo changes the policy loss's tokens or advantages"):
        strategy.step(strategy.made(ActorPPOTrainer, folder), batches[0])


def test_modes_of_other_trainers_are_refused(folder, batches, settings):
    settings(mode="rows")
    with pytest.raises(ValueError, match="mode rows: OpenRLHF's step offers direct and grad_cache"):
        strategy.step(strategy.made(ActorPPOTrainer, folder), batches[0])


def test_other_releases_are_refused(monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.12.0")
    with pytest.raises(UntestedTrainer, match=r"openrlhf 0.12.0 is installed, and this adapter was tested with 0.11.2"):
        install()
