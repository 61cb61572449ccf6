"""Three steps of AReaL's actor – compute_logp, compute_advantages, ppo_update – against a running server."""

import pytest
import rollouts
import tiny_model
import torch
import training
from in_process_actor import InProcessActor

from perception_client.trainers.areal import PerceptionPPOActor

TOLERANCE = 1e-5


@pytest.fixture(scope="module", autouse=True)
def rank():
    training.alone()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_model.save(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def batches(folder, url):
    """Three batches of rollouts with the views of every preset, two prompts with two rollouts each."""
    made = rollouts.workflow(folder, perception={"url": url, "seed": 3})
    return [rollouts.batch(made, version) for version in range(3)]


@pytest.fixture
def settings(monkeypatch, url):
    def put(**named):
        for name, value in ({"url": url} | named).items():
            monkeypatch.setenv(f"PERCEPTION_{name.upper()}", str(value))

    put()
    return put


def trained(cls, folder, batches, **more):
    engine = training.made(cls, folder, **more)
    said = [training.step(engine, batch) for batch in batches]
    return training.parameters(engine), said


@pytest.mark.parametrize("preset", ["cppo-verl", "cppo-areal", "papo-g"])
def test_parameters_after_three_steps_equal_those_of_the_loss_in_process(folder, batches, settings, preset, monkeypatch):
    settings(preset=preset)
    monkeypatch.setattr(InProcessActor, "preset", preset)
    before = training.parameters(training.made(InProcessActor, folder))
    ours, said = trained(PerceptionPPOActor, folder, batches)
    theirs, _ = trained(InProcessActor, folder, batches)
    print(preset, "largest difference", float((ours - theirs).abs().max()), "moved", float((ours - before).abs().max()))
    assert (ours - theirs).abs().max() < TOLERANCE
    assert (ours - before).abs().max() > 100 * TOLERANCE
    assert all(s["ppo_actor/update/perception/loss__count"] == 4 for s in said)
