"""verl's and TRL's own functions behind one call each: dict of scalars and gradients for padded float64 tensors.

verl 0.9.1: `get_policy_loss_fn("vanilla" | "gspo")`, `kl_penalty`, `agg_loss`, with an ActorConfig. TRL 1.16.0: the unbound
`GRPOTrainer._compute_loss` on a minimal object that hands it the log-probabilities and gathers its metrics.
"""

import collections
import os
import types

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from trl import GRPOTrainer
from verl.trainer.ppo.core_algos import agg_loss, get_policy_loss_fn, kl_penalty
from verl.workers.config import ActorConfig

# verl's dual clip cannot be switched off; no ratio of at most e^20 reaches this.
NO_DUAL_CLIP = 1e12


def sums(batch, o):
    """verl's names for the aggregation. Its token-sum has no denominator: the token-mean of that many tokens is it."""
    info = {"global_batch_size": batch["mask"].shape[0]}
    if o["policy_aggregation"] == "token-sum":
        return "token-mean", {"batch_num_tokens": o["policy_denominator"]}
    return o["policy_aggregation"], info


def gradient(value, variable):
    return torch.autograd.grad(value, variable, retain_graph=True)[0]


def verl(batch, o):
    """Every option. Rows without tokens count in the mean over sequences, as when a trainer gives its batch's size."""
    log_probs = batch["log_probs"].clone().requires_grad_()
    mode, info = sums(batch, o)
    total, found = 0 * log_probs.sum(), {}
    if o["policy"] == "ppo":
        config = ActorConfig(
            strategy="fsdp", rollout_n=1, ppo_micro_batch_size_per_gpu=1, clip_ratio_low=o["clip_low"],
            clip_ratio_high=o["clip_high"], clip_ratio_c=o["dual_clip"] or NO_DUAL_CLIP, global_batch_info=info)
        name = {"token": "vanilla", "sequence": "gspo"}[o["importance_level"]]
        weights = batch["perception"] if o["policy_tokens"] == "perception" else None
        loss, metrics = get_policy_loss_fn(name)(
            old_log_prob=batch["old"], log_prob=log_probs, advantages=batch["advantages"],
            response_mask=batch["mask"], loss_agg_mode=mode, config=config, rollout_is_weights=weights)
        found |= {"policy_loss": loss.item(), "clip_fraction": metrics["actor/pg_clipfrac"]}
        total = total + loss
    if "reference" in batch:
        kl = agg_loss(
            kl_penalty(log_probs, batch["reference"], o["kl_estimator"]), batch["mask"], mode, **info)
        found["kl"] = kl.item()
        total = total + o["kl_coefficient"] * kl
    return found | {"objective": total.item(), "gradient": gradient(total, log_probs)}


# TRL's loss types, and how this service says the same; see ../README.md.
TRL_TYPES = {"grpo": "seq-mean-token-mean", "bnpo": "token-mean", "dapo": "token-sum", "dr_grpo": "token-sum",
             "luspo": "seq-mean-token-sum"}


def trl_fits(batch, o):
    """Whether TRL has these options: one advantage a sequence, k3, no ratio or estimate beyond verl's clamps."""
    log_ratio = (batch["log_probs"] - batch["old"]) * batch["mask"]
    distance = (batch["log_probs"] - batch.get("reference", batch["log_probs"])) * batch["mask"]
    return (o["policy"] == "ppo" and o["policy_tokens"] == "response" and o["kl_estimator"] == "k3"
            and o["policy_aggregation"] in TRL_TYPES.values() and batch["advantages_of_rows"] is not None
            and (o["dual_clip"] is None or o["dual_clip"] > 1 + o["clip_high"])
            and log_ratio.abs().max() < 10 and distance.abs().max() < 2)


def trl(batch, o, loss_type=None):
    """As `verl`, where TRL has the options. `clip_fraction` only at token level: at sequence level TRL's is of sequences."""
    kind = loss_type or next(k for k, v in TRL_TYPES.items() if v == o["policy_aggregation"])
    assert TRL_TYPES[kind] == o["policy_aggregation"]
    rows, length = batch["mask"].shape
    coefficient = o["kl_coefficient"] if "reference" in batch else 0.0

    def run(beta):
        log_probs = batch["log_probs"].clone().requires_grad_()
        metrics = collections.defaultdict(lambda: collections.defaultdict(list))
        trainer = types.SimpleNamespace(
            _get_per_token_logps_and_entropies=lambda *_, **__: (log_probs, torch.zeros_like(log_probs), None),
            aux_loss_enabled=False, top_entropy_quantile=1.0, off_policy_mask_threshold=None,
            importance_sampling_level=o["importance_level"], beta=beta, loss_type=kind, epsilon_low=o["clip_low"],
            epsilon_high=o["clip_high"], use_vllm=False, vllm_importance_sampling_correction=False,
            model=types.SimpleNamespace(training=True), current_gradient_accumulation_steps=1,
            # Of dr_grpo, whose divisor is rows times this.
            max_completion_length=o["policy_denominator"] / rows if kind == "dr_grpo" else None,
            _entropy_bonus_enabled=False, _metrics=metrics,
            accelerator=types.SimpleNamespace(num_processes=1, reduce=lambda x, **_: x, gather=lambda x: x),
            args=types.SimpleNamespace(
                delta=o["dual_clip"], use_bias_correction_kl=False, steps_per_generation=1))
        ids = torch.zeros(rows, length, dtype=torch.int64)
        inputs = {"prompt_ids": ids[:, :0], "prompt_mask": ids[:, :0], "completion_ids": ids,
                  "completion_mask": batch["mask"], "advantages": batch["advantages_of_rows"],
                  "old_per_token_logps": batch["old"], "ref_per_token_logps": batch.get("reference")}
        if kind == "dapo":
            inputs["num_items_in_batch"] = torch.tensor(o["policy_denominator"], dtype=torch.float64)
        loss = GRPOTrainer._compute_loss(trainer, trainer.model, inputs)
        return loss, gradient(loss, log_probs), metrics["train"]

    policy, slope, metrics = run(0.0)
    found = {"policy_loss": policy.item(), "objective": policy.item(), "gradient": slope}
    if o["importance_level"] == "token":
        found["clip_fraction"] = metrics["clip_ratio/region_mean"][0]
    if "reference" in batch:
        # TRL has no penalty of its own to show: it is what the loss rises by.
        found["kl"] = (run(1.0)[0] - policy).item()
        if coefficient:
            found["objective"], found["gradient"] = (v.detach() for v in run(coefficient)[:2])
            found["objective"] = found["objective"].item()
    return found
