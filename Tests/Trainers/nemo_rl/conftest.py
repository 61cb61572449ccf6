"""NeMo-RL's own functions, from a copy of its source that NEMO_RL_SOURCE names; it is not on PyPI, and needs GPUs to install.

    git clone --depth 1 --branch v0.7.0 https://github.com/NVIDIA-NeMo/RL nemo-rl
    NEMO_RL_SOURCE=$PWD/nemo-rl Tests/Trainers/run nemo_rl

Real are `grpo_train` with its rollouts and rewards, batches and how they are cut for ranks, optimizer steps and
micro-batches, the advantages, what the loss is given of the logits, the losses, and their wrapper for packed rows. What
they import and do not use here – Ray, transformers, loggers – is stood in for by empty modules, the GPU by the CPU, the
training workers by one process with a small model (`workers.py`), what is around the loop by `loop.py`.
"""

import os
import pathlib
import re
import typing

import pytest
import torch
import typing_extensions

import from_source

SOURCE = os.environ.get("NEMO_RL_SOURCE")
ABSENT = "NeMo-RL is not on PyPI: set NEMO_RL_SOURCE to a copy of its repository, v0.7.0"
EMPTY = {"ray", "transformers", "hydra", "wandb", "mlflow", "swanlab", "rich", "matplotlib", "tensorboard", "omegaconf",
         "torchdata", "datasets", "decord", "accelerate", "pynvml", "zmq", "nemo_automodel", "vllm", "debugpy", "git", "uvicorn",
         "fastapi", "yaml", "prometheus_client", "google", "soundfile", "huggingface_hub", "scipy", "absl", "pandas",
         "tensordict", "psutil"}  # fmt: skip


def pytest_terminal_summary(terminalreporter):
    if SOURCE is None:
        terminalreporter.write_line(f"SKIPPED, all of NeMo-RL: {ABSENT}", yellow=True)


@pytest.fixture(scope="session", autouse=True)
def nemo_rl(tmp_path_factory):
    if SOURCE is None:
        pytest.skip(ABSENT)
    os.environ |= {"TORCHDYNAMO_DISABLE": "1", "NO_VCS_VERSION": "1"}
    # NeMo-RL is for a newer Python, in which pydantic takes typing's own.
    typing.TypedDict = typing_extensions.TypedDict
    about = (pathlib.Path(SOURCE) / "nemo_rl/package_info.py").read_text(encoding="utf-8")
    version = ".".join(re.search(rf"^{part} = (\d+)$", about, re.MULTILINE)[1] for part in ("MAJOR", "MINOR", "PATCH"))
    # Its log-probabilities are moved to the GPU, whichever there is.
    torch.Tensor.cuda = lambda self, *args, **more: self
    from_source.found(SOURCE, "nemo-rl", version, EMPTY, tmp_path_factory.mktemp("nemo-rl"))


@pytest.fixture
def installed(url):
    """Put the adapter into a policy: `installed(policy, preset=…)`."""
    from perception_client.trainers import nemo_rl as adapter
    from small_pictures import Processor

    def install(policy, **settings):
        settings = {"options": {"detector": "divergence"}, "coefficient": 0.5, "url": url, **settings}
        return adapter.install(policy, Processor(), **settings)

    return install
