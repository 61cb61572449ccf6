"""slime's own functions, from a copy of its source that SLIME_SOURCE names; slime is not on PyPI, and needs GPUs to install.

    git clone --depth 1 --branch v0.3.1 https://github.com/THUDM/slime && SLIME_SOURCE=$PWD/slime Tests/Trainers/run slime

Real are the conversion of samples, the schedule of ranks and micro-batches, the advantages and the loss. What they import
and do not use here – Ray, SGLang, Megatron – is stood in for by empty modules, Megatron's ranks by one process.
"""

import os
import pathlib
import re
import types

import pytest

import from_source

SOURCE = os.environ.get("SLIME_SOURCE")
ABSENT = "slime is not on PyPI: set SLIME_SOURCE to a copy of its repository, v0.3.1"
EMPTY = {"ray", "sglang", "sglang_router", "megatron", "wandb", "transformers", "transformer_engine", "aiohttp", "datasets",
         "uvicorn", "fastapi", "pylatexenc", "orjson", "yaml", "omegaconf", "setproctitle", "psutil", "pandas", "pyarrow"}  # fmt: skip


def pytest_terminal_summary(terminalreporter):
    if SOURCE is None:
        terminalreporter.write_line(f"SKIPPED, all of slime: {ABSENT}", yellow=True)


@pytest.fixture(scope="session", autouse=True)
def slime(tmp_path_factory):
    if SOURCE is None:
        pytest.skip(ABSENT)
    os.environ["TORCHDYNAMO_DISABLE"] = "1"
    import torch.distributed as dist

    folder = tmp_path_factory.mktemp("slime")
    (version,) = re.findall(r'version="([\d.]+)"', (pathlib.Path(SOURCE) / "setup.py").read_text(encoding="utf-8"))
    from_source.found(SOURCE, "slime", version, EMPTY, folder)
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=0, world_size=1)
    import ray

    ray.remote = lambda value: value
    import megatron.core

    ranks = types.SimpleNamespace(
        get_context_parallel_world_size=lambda: 1,
        get_context_parallel_rank=lambda: 0,
        is_pipeline_last_stage=lambda: True,
        get_tensor_model_parallel_group=lambda: dist.group.WORLD,
        get_tensor_model_parallel_world_size=lambda: 1,
        get_tensor_model_parallel_rank=lambda: 0,
        get_data_parallel_world_size=lambda with_context_parallel=False: 1,
        get_data_parallel_group=lambda with_context_parallel=False: dist.group.WORLD,
        get_data_parallel_group_gloo=lambda with_context_parallel=False: dist.group.WORLD,
    )
    megatron.core.mpu = ranks
    yield ranks
    dist.destroy_process_group()


@pytest.fixture
def settings(url, monkeypatch):
    """Variables of a worker; `settings(preset=…)` sets more."""
    from perception_client.trainers.slime import state

    def given(**more):
        for name, value in more.items():
            monkeypatch.setenv(f"PERCEPTION_{name.upper()}", value)
        state.state.cache_clear()
        state.groups.cache_clear()

    given(url=url, options='{"detector": "divergence"}', coefficient="0.5")
    yield given
    state.state.cache_clear()
    state.groups.cache_clear()
