"""AReaL's `PPOTrainer` makes our engines; no rollout server is started."""

import types

import areal.engine
import pytest
import training
from areal.api.alloc_mode import ModelAllocation

from perception_client.trainers.areal import PerceptionPPOActor, PerceptionPPOTrainer


class Unstarted(PerceptionPPOTrainer):
    """A trainer whose own constructor has not run."""

    def __new__(cls, *args, **named):
        return object.__new__(cls)

    def __init__(self):
        self.scheduler = object()


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_controller_starts_our_engine_in_its_workers(folder, monkeypatch, version):
    monkeypatch.setattr("areal.trainer.rl_trainer.is_single_controller", lambda: True)
    config = training.config(folder)
    config._version = version
    monkeypatch.setattr("areal.infra.TrainController.create_process_group", lambda self, **more: None)
    monkeypatch.setattr(
        "areal.experimental.training_service.controller.controller.GatewayTrainController.create_process_group",
        lambda self, **more: None)  # fmt: skip
    made = Unstarted()._create_train_engine(config, ModelAllocation.from_str("fsdp:d1", name="actor"))
    assert made.train_engine is PerceptionPPOActor
    assert areal.engine.FSDPPPOActor is not PerceptionPPOActor


def test_without_a_controller_the_engine_is_ours(folder, monkeypatch):
    monkeypatch.setattr("areal.trainer.rl_trainer.is_single_controller", lambda: False)
    made = Unstarted()._create_train_engine(training.config(folder), ModelAllocation.from_str("fsdp:d1", name="actor"))
    assert type(made) is PerceptionPPOActor


def test_other_backends_are_refused(folder):
    with pytest.raises(ValueError, match="backend megatron: the perception loss is for AReaL's FSDP engine"):
        Unstarted()._create_train_engine(training.config(folder), ModelAllocation.from_str("megatron:d1", name="actor"))


def parts(**more):
    def part():
        return types.SimpleNamespace(scheduling_spec=[types.SimpleNamespace(env_vars={"PERCEPTION_SEED": "9"})])

    return types.SimpleNamespace(**({"critic": None, "actor": part(), "ref": None, "rollout": part()} | more))


def test_workers_get_the_variables_and_keep_their_own(monkeypatch):
    monkeypatch.setattr("areal.trainer.rl_trainer.PPOTrainer.__init__", lambda self, *args, **more: None)
    monkeypatch.setenv("PERCEPTION_URL", "http://node7:8080")
    monkeypatch.setenv("PERCEPTION_SEED", "1")
    config = parts()
    PerceptionPPOTrainer(config)
    for part in (config.actor, config.rollout):
        variables = part.scheduling_spec[0].env_vars
        assert variables["PERCEPTION_URL"] == "http://node7:8080"
        assert variables["PERCEPTION_SEED"] == "9"


def test_a_critic_is_refused():
    with pytest.raises(ValueError, match="a critic's engine would give the views to its model"):
        PerceptionPPOTrainer(parts(critic=types.SimpleNamespace()))
