"""Ray's setup hook brings the perception loss into a worker that imports OpenRLHF for itself."""

import os
import pathlib

import ray


@ray.remote
def worker():
    import sys

    eager = any(name.startswith("openrlhf.") for name in sys.modules)
    import stand_ins  # noqa: F401
    from openrlhf.models import Actor
    from openrlhf.trainer.ray import ppo_actor

    return eager, ppo_actor.ActorPPOTrainer.__name__, hasattr(Actor.forward, "__wrapped__")


def test_the_setup_hook_of_the_readme():
    here = os.pathsep.join([str(pathlib.Path(__file__).parent), os.environ["PYTHONPATH"]])
    environment = {
        "worker_process_setup_hook": "perception_client.trainers.openrlhf.install", "env_vars": {"PYTHONPATH": here}}
    ray.init(num_cpus=1, include_dashboard=False, runtime_env=environment, log_to_driver=False, object_store_memory=10**8)
    try:
        eager, name, views_left_out = ray.get(worker.remote(), timeout=300)
    finally:
        ray.shutdown()
    assert not eager, "workers that never train import nothing of OpenRLHF"
    assert name == "PerceptionActorPPOTrainer"
    assert views_left_out
