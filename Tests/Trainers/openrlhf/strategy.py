"""OpenRLHF's own DeepSpeed strategy on a CPU: all but the device and the implementation of Adam."""

import os
import types

import deepspeed
import stand_ins
import torch
import torch.distributed as dist
from openrlhf.utils.deepspeed import DeepspeedStrategy
from torch.distributed.device_mesh import init_device_mesh

Names = types.SimpleNamespace


class CPUStrategy(DeepspeedStrategy):
    def setup_distributed(self):
        if not dist.is_initialized():
            dist.init_process_group("gloo")
        deepspeed.init_distributed("gloo")
        self.world_size = dist.get_world_size()
        self.ds_device_mesh = init_device_mesh("cpu", (self.world_size, 1, 1), mesh_dim_names=("dp", "sp", "tp"))
        self.accumulated_gradient = self.train_batch_size // self.micro_train_batch_size // self.world_size

    def get_ds_train_config(self, *args, **named):
        config = super().get_ds_train_config(*args, **named)
        config["optimizer"]["params"]["torch_adam"] = True
        return config


def arguments(micro=2, batch=4, loss="token-mean"):
    """OpenRLHF's arguments, those that the strategy and the training step look at."""
    return Names(
        local_rank=-1,
        train=Names(max_epochs=1, dynamic_batch_enable=False, colocate_all=False, async_enable=False, micro_batch_size=micro,
                    batch_size=batch),
        actor=Names(eps_clip_low_high=(0.2, 0.2), dual_clip=None, loss_agg_mode=loss, policy_loss_type="ppo",
                    aux_loss_coef=0.0, entropy_coef=None),
        algo=Names(
            advantage=Names(is_correction_level="off", is_correction_mode="mask", is_correction_gating="ratio",
                            is_correction_threshold=(0.5, 5.0)),
            kl=Names(use_loss=False, init_coef=0.0, estimator="k1", unbiased_gradient=False)),
        ds=Names(packing_samples=False, param_dtype="fp32", tensor_parallel_size=1),
        vllm=Names(sync_backend="gloo"))


def alone():
    """Be rank 0 of 1."""
    from scripted import free_port

    os.environ |= {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1"}
    os.environ.setdefault("MASTER_PORT", str(free_port()))


def made(cls, folder, stage=2, temperature=0.9, **more):
    """A trainer of that class with its actor on DeepSpeed."""
    from openrlhf.models import Actor
    from openrlhf.trainer.ray import ppo_actor

    given = arguments(**more)
    strategy = CPUStrategy(
        micro_train_batch_size=given.train.micro_batch_size, train_batch_size=given.train.batch_size, zero_stage=stage,
        args=given)
    strategy.setup_distributed()
    # OpenRLHF knows bf16 and fp16: the model is loaded so, and widened.
    actor = Actor(str(folder), attn_implementation="sdpa", param_dtype="bf16", temperature=temperature).float()
    adam = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-4, "weight_decay": 0.0}
    setting = {"optim": "adam", "adam": adam, "lr_scheduler": "constant", "max_norm": 1e9, "scheduler_steps": 100}
    actor, optimizer, scheduler = strategy.prepare((actor, setting))
    ppo_actor.torch_dist_barrier_and_cuda_sync = lambda: None
    stand_ins.numbered()
    trainer = cls(
        strategy, actor, None, optimizer, scheduler, micro_train_batch_size=given.train.micro_batch_size,
        dataloader_pin_memory=False)
    stand_ins.on_cpu()
    return trainer


def step(trainer, batch):
    """What OpenRLHF does with a batch of Experiences: `ppo_train`, which shuffles; returns its status."""
    torch.manual_seed(0)
    for one in batch:
        trainer.replay_buffer.append(copied(one))
    status = trainer.ppo_train(0.0)
    trainer.replay_buffer.clear()
    return status


def trained(cls, folder, batches, **more):
    """Train on each batch in turn; returns the parameters, each step's status, and the trainer."""
    trainer = made(cls, folder, **more)
    said = [step(trainer, batch) for batch in batches]
    return parameters(trainer), said, trainer


def copied(one):
    """An Experience that may be changed."""
    return type(one)(**{k: v.clone() if isinstance(v, torch.Tensor) else v for k, v in vars(one).items()})


def parameters(trainer):
    """All parameters as one vector, float64, whole on each rank."""
    whole = list(trainer.actor.model.module.parameters())
    with deepspeed.zero.GatheredParameters(whole):
        return torch.cat([p.detach().double().reshape(-1) for p in whole])
