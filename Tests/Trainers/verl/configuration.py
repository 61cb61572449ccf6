"""verl's whole configuration, composed of its own files as `main_ppo` does."""

import pathlib

import verl
from hydra import compose, initialize_config_dir

PRECISION = "{param_dtype:fp32,reduce_dtype:fp32,buffer_dtype:fp32}"


def composed(folder, *more):
    """For the tiny model on a CPU: fsdp2 in float32, no flash-attention, no compilation, plain gradient descent."""
    actor, rollout, model = ("actor_rollout_ref." + part for part in ("actor", "rollout", "model"))
    overrides = [
        f"{model}.path={folder}", f"{model}.use_remove_padding=False", f"{model}.enable_gradient_checkpointing=False",
        f"+{model}.override_config.attn_implementation=sdpa",
        f"{actor}.strategy=fsdp2", f"{actor}.fsdp_config.strategy=fsdp2", f"{actor}.ppo_mini_batch_size=8",
        f"{actor}.ppo_micro_batch_size_per_gpu=2", f"{actor}.use_dynamic_bsz=False",
        f"{actor}.fsdp_config.use_torch_compile=False", f"{actor}.use_torch_compile=False",
        f"+{actor}.fsdp_config.mixed_precision={PRECISION}",
        f"{actor}.optim.lr=0.05", f"{actor}.optim.weight_decay=0.01", f"{actor}.optim.optimizer=SGD",
        f"{actor}.optim.total_training_steps=10",
        f"{rollout}.name=vllm", f"{rollout}.log_prob_micro_batch_size_per_gpu=2", f"{rollout}.log_prob_use_dynamic_bsz=False",
        f"{rollout}.prompt_length=96", f"{rollout}.response_length=12", f"{rollout}.n=2",
    ]  # fmt: skip
    files = pathlib.Path(verl.__file__).parent / "trainer/config"
    with initialize_config_dir(config_dir=str(files), version_base=None):
        return compose("ppo_trainer", overrides=[*overrides, *more])
