"""What the training step refuses, and what it says one should do."""

import pytest
import rollouts
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


def test_modes_of_other_trainers_are_refused(folder, batches, settings):
    settings(mode="rows")
    with pytest.raises(ValueError, match="mode rows: OpenRLHF's step offers direct and grad_cache"):
        strategy.step(strategy.made(ActorPPOTrainer, folder), batches[0])


def test_another_normalisation_than_openrlhfs_is_refused(folder, batches, settings):
    settings(normalise="sequences")
    with pytest.raises(ValueError, match="normalise sequences: OpenRLHF weights each micro-batch by its tokens or rows"):
        strategy.step(strategy.made(ActorPPOTrainer, folder), batches[0])


def test_views_for_each_rollout_are_refused(words, url):
    with pytest.raises(ValueError, match="per_rollout: this trainer runs each rollout for itself"):
        rollouts.Executor(perception={"url": url, "per_rollout": True}).groups(words)


def test_other_releases_are_refused(monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.12.0")
    with pytest.raises(UntestedTrainer, match=r"openrlhf 0.12.0 is installed, and this adapter was tested with 0.11.2"):
        install()
