"""verl on a CPU, with the client as a server hands it out: from its wheel, so that verl finds the plugin by entry point.

What verl reads from the environment must stand there before it is imported.
"""

import os
import pathlib
import sys
import tempfile
import zipfile

import wheel

HERE = pathlib.Path(__file__).parent
_installed = tempfile.TemporaryDirectory(prefix="perception-verl-")
wheel.write(pathlib.Path(_installed.name) / wheel.name())
zipfile.ZipFile(pathlib.Path(_installed.name) / wheel.name()).extractall(_installed.name)
# The folder of the shared modules holds one for each trainer, too, and verl takes a folder `trl` for TRL.
for shared in ("tiny_model", "in_process"):
    (pathlib.Path(_installed.name) / f"{shared}.py").symlink_to(HERE.parent / f"{shared}.py")
_ours = [_installed.name, str(HERE)]
sys.path[:] = [*_ours, *(p for p in sys.path if p != str(HERE.parent))]
_inherited = os.environ["PYTHONPATH"].split(os.pathsep)
os.environ["PYTHONPATH"] = os.pathsep.join([*_ours, *(p for p in _inherited if p != str(HERE.parent))])
os.environ |= {
    # Test only: verl has no platform for a CPU. Its engine of that device is then asked for by the other name.
    "VERL_USE_EXTERNAL_MODULES": "cpu_platform", "VERL_PLATFORM": "cpu", "VERL_ENGINE_DEVICE": "cuda",
    # What a user sets.
    "VERL_ENGINE_VENDOR": "perception",
    # One process is a group of one rank.
    "MASTER_ADDR": "127.0.0.1", "RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1",
    "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0",
}  # fmt: skip

import pytest
from scripted import free_port

import tiny_model

os.environ["MASTER_PORT"] = str(free_port())


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The tiny model on disk."""
    return tiny_model.save(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def group():
    """torch.distributed of one rank."""
    import torch

    torch.distributed.init_process_group("gloo", rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


@pytest.fixture(scope="session")
def words(folder):
    """The tiny model's processor."""
    from transformers import AutoProcessor

    return AutoProcessor.from_pretrained(folder)


@pytest.fixture(scope="session")
def rows_and_plain(folder, words, url, tmp_path_factory):
    """Eight rows with the views that the agent loop's own code makes, and where plain PyTorch ends after three steps.

    The latter are parameters by preset, trained without verl and without a server; `none` is the policy loss alone, and
    `PRESET/4` has mini-batches of four rows, `vppo/8/2` two ranks.
    """
    import subprocess

    import mini_batch
    import plain_steps
    import torch

    from perception_client.trainers.settings import TrainerSettings

    rows = mini_batch.sequences(words, views=mini_batch.views(words, TrainerSettings(url=url)))
    place = tmp_path_factory.mktemp("plain")
    torch.save(rows, place / "rows.pt")
    presets = ["none", "cppo-verl", "papo-g", "vppo", "vppo/4", "none/4", "vppo/8/2", "scaled"]
    subprocess.run([sys.executable, plain_steps.__file__, folder, place / "rows.pt", place / "out.pt", *presets], check=True)
    return rows, torch.load(place / "out.pt")
