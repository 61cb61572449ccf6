"""verl's engine as its workers make it, and steps with it."""

from functools import partial

import plain_steps
import torch
from torch.distributed.tensor import DTensor
from verl.trainer.config import CheckpointConfig
from verl.workers.config import FSDPActorConfig, FSDPEngineConfig, FSDPOptimizerConfig, HFModelConfig
from verl.workers.engine.base import EngineRegistry
from verl.workers.utils.losses import ppo_loss


def engine(folder, **config):
    """The engine of the strategy fsdp2 that VERL_ENGINE_VENDOR asks for, in float32, with a plain gradient descent."""
    model = HFModelConfig(
        path=str(folder), use_remove_padding=False, enable_gradient_checkpointing=config.pop("checkpointing", False),
        override_config={"attn_implementation": "sdpa"})
    precision = {"param_dtype": "fp32", "reduce_dtype": "fp32", "buffer_dtype": "fp32"}
    made = EngineRegistry.new(
        model_type=config.pop("model_type", "language_model"),
        backend=config.get("strategy", "fsdp2"),
        model_config=model,
        engine_config=FSDPEngineConfig(**{"strategy": "fsdp2", "use_torch_compile": False, "mixed_precision": precision} | config),
        optimizer_config=FSDPOptimizerConfig(
            lr=plain_steps.LEARNING_RATE, weight_decay=plain_steps.WEIGHT_DECAY, clip_grad=plain_steps.CLIP,
            total_training_steps=10, optimizer="SGD"),
        checkpoint_config=CheckpointConfig(),
    )  # fmt: skip
    made.initialize()
    return made


def loss(**config):
    """The actor's loss, bound to its configuration as verl's worker binds it."""
    common = {"strategy": "fsdp2", "ppo_mini_batch_size": 8, "ppo_micro_batch_size_per_gpu": 2, "rollout_n": 1}
    return partial(ppo_loss, config=FSDPActorConfig(**common | config))


def steps(made, data, count=plain_steps.STEPS, **config):
    """Take optimizer steps on the same mini-batch; returns verl's metrics of each."""
    function = loss(**config)
    said = []
    for _ in range(count):
        with made.train_mode():
            said.append(made.train_batch(data.copy(), function)["metrics"])
    return said


def worker(folder, *more):
    """verl's own worker of the actor, by verl's own configuration files."""
    import configuration
    from verl.workers.engine_workers import ActorRolloutRefWorker

    made = ActorRolloutRefWorker(config=configuration.composed(folder, *more).actor_rollout_ref, role="actor")
    made.init_model()
    return made


def updated(worker, rows, size):
    """One training step of a worker, as RayPPOTrainer._update_actor asks for it; returns its metrics.

    Args:
        worker: of one rank.
        rows: that rank's.
        size: rows of a mini-batch, over all ranks.
    """
    import mini_batch
    from verl.utils import tensordict_utils as tu

    data = mini_batch.tensordict(rows, worker.actor.model_config.processor, global_batch_size=size)
    tu.assign_non_tensor(
        data, mini_batch_size=size, epochs=1, seed=1, dataloader_kwargs={"shuffle": False}, compute_loss=True)  # fmt: skip
    return tu.get(worker.update_actor(data), "metrics")


def parameters(made):
    """Whole parameters by name, on every rank."""
    whole = lambda x: x.full_tensor() if isinstance(x, DTensor) else x  # noqa: E731
    return {name: whole(value.detach()).clone() for name, value in made.module.named_parameters()}


def apart(found, wanted):
    """The largest difference of any parameter."""
    assert set(found) == set(wanted)
    return max(float((found[name] - wanted[name]).abs().max()) for name in wanted)


def moved(found, start):
    """How far training has gone: the largest change of any parameter, to see that a difference means something."""
    return apart(found, start)


def gradients(made, data, **config):
    """Whole gradients by name of one mini-batch, before clipping."""
    with made.train_mode():
        made.optimizer_zero_grad()
        made.forward_backward_batch(data.copy(), loss(**config))
        found = {n: p.grad for n, p in made.module.named_parameters() if p.grad is not None}
        found = {n: (g.full_tensor() if isinstance(g, DTensor) else g).clone() for n, g in found.items()}
        made.optimizer_zero_grad()
    return found


def norm(found):
    return float(torch.cat([g.reshape(-1) for g in found.values()]).norm())
