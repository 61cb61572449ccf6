"""Weights of all rows of a batch of rollouts, by one request, and the loss that has them.

B rollouts with views, T tokens of the longest response; a row has R response tokens.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist

from ...errors import PerceptionError
from ...losses import _passes
from .. import modes, reporting
from . import marks
from .state import State, state

log = logging.getLogger("perception_client")
LOSS = f"{__package__}.loss"


@dataclass(frozen=True)
class Row:
    """What one sample's rank knows of it: tensors [R] in main memory."""

    rollout: int
    view: str
    log_probs: torch.Tensor
    entropy: torch.Tensor | None
    mask: torch.Tensor
    reward: float


Found = tuple[dict[tuple[int, str], torch.Tensor], dict[str, float]]


def advantages(args: Any, rollout_data: dict[str, Any]) -> None:
    """Fill in `advantages`, GRPO's, and `returns`, in which the weights of the rows travel to `loss`.

    The rows of a rollout may be on several data-parallel ranks: they are gathered, the first rank asks the server, and
    all get the answer or the error.
    """
    from megatron.core import mpu
    from slime.utils.ppo_utils import get_grpo_returns

    _check(args, rollout_data, mpu.get_context_parallel_world_size())
    own = state()
    kl = rollout_data["kl"]
    device = kl[0].device
    rewards = torch.tensor(rollout_data["rewards"], dtype=torch.float32, device=device)
    rollout_data["advantages"] = get_grpo_returns(rewards, kl)
    group = mpu.get_data_parallel_group_gloo()
    weights, said = _together(own, _rows(own, rollout_data), group)
    # slime divides by the rollouts of a step; each of several steps has its share of the rows.
    rollouts = sum(rollout_data["global_batch_sizes"])
    rollout_data["returns"] = [
        weights[key].to(device) * rollouts if key in weights else torch.zeros_like(x)
        for key, x in zip(_keys(rollout_data), kl, strict=True)
    ]
    for name, value in said.items():
        rollout_data[name] = [value] * len(kl)


def loss(args: Any, batch: dict[str, Any], logits: torch.Tensor, sum_of_sample_mean: Any) -> Any:
    """Compute slime's policy loss, and add −Σ weight · log_prob over all rows of the micro-batch."""
    from slime.backends.megatron_utils import loss as slime

    value, said = slime.policy_loss_function(args, batch, logits, sum_of_sample_mean)
    _, found = slime.get_log_probs_and_entropy(
        logits,
        args=args,
        unconcat_tokens=batch["unconcat_tokens"],
        total_lengths=batch["total_lengths"],
        response_lengths=batch["response_lengths"],
        **slime.get_rollout_top_p_logprob_kwargs(args, batch),
    )
    log_probs, weights = torch.cat(found["log_probs"]), torch.cat(batch["returns"])
    rows = -torch.where(weights != 0, log_probs * weights, 0).sum()
    return value + rows, {**said, "perception_rows": rows.detach()}


def _check(args: Any, rollout_data: dict[str, Any], context_parallel: int) -> None:
    if args.advantage_estimator not in ("grpo", "cispo"):
        raise ValueError(
            f"--advantage-estimator {args.advantage_estimator}: with perception rows it is grpo or cispo"
        )
    if args.loss_type != "custom_loss" or args.custom_loss_function_path != LOSS:
        raise ValueError(f"the weights are for --loss-type custom_loss --custom-loss-function-path {LOSS}")
    if args.calculate_per_token_loss:
        raise ValueError(
            "--calculate-per-token-loss counts at least one token of each row, views' rows too: leave it"
        )
    if args.use_critic:
        raise ValueError("--use-critic needs the returns, in which the rows' weights travel")
    if args.use_rollout_logprobs or not rollout_data.get("log_probs"):
        raise ValueError(
            "the engine's log-probabilities are the original's alone, and the rows need the trainer's own: leave "
            "--use-rollout-logprobs"
        )
    if context_parallel > 1:
        raise ValueError(
            "with context parallelism a rank has parts of responses: set --context-parallel-size 1"
        )


def _keys(rollout_data: dict[str, Any]) -> list[tuple[int, str]]:
    pairs = zip(rollout_data["rollout_ids"], rollout_data["sample_indices"], strict=True)
    return [(int(rollout), marks.view_of(int(index))) for rollout, index in pairs]


def _rows(own: State, rollout_data: dict[str, Any]) -> list[Row]:
    entropies = rollout_data.get("entropy") if own.wanted.entropy else None
    if own.wanted.entropy and not entropies:
        raise ValueError(
            f"preset {own.settings.preset} chooses tokens by their entropies: pass --use-rollout-entropy to slime, or "
            'PERCEPTION_OPTIONS=\'{"detector": "divergence"}\''
        )
    return [
        Row(
            *key,
            rollout_data["log_probs"][i].detach().float().cpu(),
            entropies[i].detach().float().cpu() if entropies else None,
            rollout_data["loss_masks"][i].cpu(),
            float(rollout_data["rewards"][i]),
        )
        for i, key in enumerate(_keys(rollout_data))
    ]


def _together(own: State, rows: list[Row], group: Any) -> Found:
    """Gather the rows, ask on the first rank, and return the same on all."""
    parts: list[Any] = [None] * dist.get_world_size(group)
    dist.all_gather_object(parts, rows, group=group)
    outcome: list[Any] = [None]
    if dist.get_rank(group) == 0:
        try:
            outcome = [_weights(own, [row for part in parts for row in part])]
        except Exception as error:
            outcome = [error]
    dist.broadcast_object_list(outcome, src=dist.get_global_rank(group, 0), group=group)
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    found: Found = outcome[0]
    return found


def _weights(own: State, rows: Sequence[Row]) -> Found:
    """Return the weights [R] of every row, and the loss's numbers for the log."""
    by_key = {(row.rollout, row.view): row for row in rows}
    views = ("original", *own.wanted.others)
    part = [r.rollout for r in rows if r.view == "original" and all((r.rollout, v) in by_key for v in views)]
    if not part:
        return {}, {}

    def wide(name: str, view: str) -> torch.Tensor:
        values = [getattr(by_key[i, view], name) for i in part]
        return torch.nn.utils.rnn.pad_sequence(values, batch_first=True)

    rewards = torch.tensor([by_key[i, "original"].reward for i in part])
    arguments: dict[str, Any] = {"response_mask": wide("mask", "original"), **own.settings.loss}
    if own.wanted.advantages:
        arguments["advantages"] = rewards
    passes = {
        view: modes.Pass(
            wide("log_probs", view), wide("entropy", view) if view in own.wanted.entropy else None
        )
        for view in views
    }
    try:
        weights = modes.rows(own.client, passes, **arguments).weights
    except PerceptionError as error:
        if not own.skip or not _passes(error):
            raise
        own.client.skipped += 1
        log.warning("this batch of rollouts has no perception loss: %s", error)
        return {}, {f"{reporting.PREFIX}skipped": float(own.client.skipped)}
    found = {
        (i, view): weight[k, : len(by_key[i, view].log_probs)]
        for view, weight in weights.items()
        for k, i in enumerate(part)
    }
    return found, reporting.metrics(own.client.last, own.client.skipped)
