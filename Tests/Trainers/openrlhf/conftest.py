"""A tiny model, rollouts of it, and settings as a user gives them."""

import stand_ins  # noqa: F401, I001  before anything of OpenRLHF

import pytest
import rollouts
import strategy
import tiny_model
from in_process_trainer import InProcessTrainer

from perception_client.trainers.openrlhf import install

install()


@pytest.fixture(scope="session", autouse=True)
def rank():
    strategy.alone()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    made = tiny_model.save(tmp_path_factory.mktemp("model"))
    (made / "reward.py").write_text(rollouts.REWARD)
    return made


@pytest.fixture(scope="session")
def words(folder):
    return rollouts.processor(folder)


@pytest.fixture(scope="session")
def executor(folder, url):
    """Rollouts with the views of cppo-verl, whose two papo-g needs, too."""
    return rollouts.Executor(remote_rm_url=str(folder / "reward.py"), perception={"url": url, "seed": 3})


@pytest.fixture(scope="session")
def actor(folder):
    """The actor that says the old log-probabilities."""
    return strategy.made(InProcessTrainer, folder).actor


@pytest.fixture(scope="session")
def batches(executor, words, actor):
    """Three batches: two prompts with one picture, two rollouts each."""
    return [rollouts.experiences(executor, words, actor, seed=step) for step in range(3)]
