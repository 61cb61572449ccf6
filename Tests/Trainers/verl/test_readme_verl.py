"""The README's three lines are verl's configuration, reach every Ray worker, and there make verl take the engine."""

import os

import configuration
import pytest
import ray
import readme
from omegaconf import OmegaConf


@pytest.fixture(scope="module")
def lines(url):
    """The lines that a user adds to verl's command."""
    (code,) = (code for kind, code in readme.examples() if kind == "sh verl")
    assert "python -m verl.trainer.main_ppo" in code
    found = [line.strip().rstrip("\\ ").replace("http://HOST:8080", url) for line in code.splitlines() if "+" in line]
    assert len(found) == 3
    return found


def runtime_env(folder, lines):
    """What `run_ppo` starts Ray with."""
    from verl.trainer.constants_ppo import get_ppo_ray_runtime_env

    config = configuration.composed(folder, *lines)
    given = config.ray_kwargs.get("ray_init", {}).get("runtime_env", {})
    return OmegaConf.to_container(OmegaConf.merge(get_ppo_ray_runtime_env(config), given))


class Worker:
    """Any of verl's actors."""

    def found(self):
        from verl.experimental.agent_loop.agent_loop import AgentLoopWorker
        from verl.workers.engine import EngineRegistry

        engine = EngineRegistry.get_engine_cls("language_model", "fsdp2").__name__
        loop = AgentLoopWorker._compute_multi_modal_inputs.__code__.co_filename
        return engine, loop, os.environ["PERCEPTION_PRESET"]


def test_the_lines_reach_rays_workers(folder, lines, monkeypatch):
    """And when the plugin cannot work, verl's process on the other side learns why."""
    # Ray's processes inherit the test's variables; what is asked here is what the lines do.
    monkeypatch.delenv("VERL_ENGINE_VENDOR")
    wanted = runtime_env(folder, lines)
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        actor = ray.remote(num_cpus=0)(Worker)
        good = actor.options(runtime_env={"env_vars": wanted["env_vars"]}).remote()
        engine, loop, preset = ray.get(good.found.remote(), timeout=240)
        assert engine == "PerceivingEngine" and loop.endswith("trainers/verl/rollouts.py") and preset == "cppo-verl"
        bad = actor.options(runtime_env={"env_vars": wanted["env_vars"] | {"PERCEPTION_MODE": "rows"}}).remote()
        with pytest.raises(ray.exceptions.ActorDiedError, match="offers direct and grad_cache, not rows"):
            ray.get(bad.found.remote(), timeout=240)
    finally:
        ray.shutdown()
