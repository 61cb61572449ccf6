"""A tiny model, rollouts of it, and settings as a user gives them."""

import pytest
import rollouts
import training

import tiny_model


@pytest.fixture(scope="session", autouse=True)
def rank():
    training.alone()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tiny_model.save(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def workflow(folder, url):
    """Rollouts with the views of cppo-verl, whose two other presets here need."""
    return rollouts.workflow(folder, perception={"url": url, "seed": 3})


@pytest.fixture(scope="session")
def batches(workflow):
    """Three batches: two prompts with one picture, two rollouts each."""
    return [rollouts.batch(workflow, version) for version in range(3)]
