"""AReaL's engine on a CPU: its own CPU platform, FSDP on gloo, sdpa, one row a micro-batch."""

import copy
import os

import torch
from areal.api import FinetuneSpec
from areal.api.cli_args import MicroBatchSpec, OptimizerConfig, PPOActorConfig
from rollouts import GROUP


def alone():
    """Be rank 0 of 1."""
    from scripted import free_port

    os.environ |= {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1"}
    os.environ.setdefault("MASTER_PORT", str(free_port()))


def config(folder, rows=2 * GROUP, attn_impl="sdpa", **more):
    """An actor's configuration.

    Args:
        folder: of the model.
        rows: of a minibatch on one rank: as many micro-batches.
        attn_impl: of the model.
        more: what differs.
    """
    setting = {
        "experiment_name": "test", "trial_name": "one", "path": str(folder), "backend": f"fsdp:d{os.environ['WORLD_SIZE']}",
        "dtype": "float32", "attn_impl": attn_impl, "gradient_checkpointing": False, "mb_spec": MicroBatchSpec(n_mbs=rows),
        "optimizer": OptimizerConfig(lr=1e-3, warmup_steps_proportion=0.0, weight_decay=0.0, eps=1e-4), "ppo_n_minibatches": 1,
        "recompute_logprob": True, "use_decoupled_loss": False, "eps_clip": 0.2, "kl_ctl": 0.0, "temperature": 0.9}
    return PPOActorConfig(**(setting | more))


def made(cls, folder, **more):
    """An initialised engine of that class."""
    engine = cls(config(folder, **more))
    engine.create_process_group()
    engine.initialize(None, FinetuneSpec(total_train_epochs=1, dataset_size=64, train_batch_size=4))
    return engine


def step(engine, trajectories):
    """What AReaL's trainer does with a batch of rollouts; returns its statistics."""
    trajectories = copy.deepcopy(trajectories)
    for one, log_probs in zip(trajectories, engine.compute_logp(trajectories), strict=True):
        one["prox_logp"] = log_probs
    engine.ppo_update(engine.compute_advantages(trajectories))
    engine.step_lr_scheduler()
    engine.set_version(engine.get_version() + 1)
    return engine.export_stats()


def parameters(engine):
    """All parameters as one vector, float64, whole on each rank."""
    found = [p.detach() for p in engine.model.parameters()]
    return torch.cat([(p.full_tensor() if hasattr(p, "full_tensor") else p).double().reshape(-1) for p in found])


def trained(cls, folder, batches, **more):
    """Train on each batch in turn; returns the parameters, each step's statistics, and the engine."""
    engine = made(cls, folder, **more)
    said = [step(engine, batch) for batch in batches]
    return parameters(engine), said, engine
