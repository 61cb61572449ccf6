"""The functions that slime calls before a training step and for its loss.

A row has R response tokens. slime carries a few columns of each row from here to there, and some of them are free: a
critic's `returns` and `values`, and a teacher's log-probabilities. What travels there, in this order:

| mode | what |
|---|---|
| `rows` | each row's weights |
| `detached` | the other views' log-probabilities, of the rollouts' own rows; a positive number where there is no view |
| both | the factors of the advantages, if the preset changes the policy loss |

The column `advantages` stays slime's own: the gate of the perception loss looks at it, and slime may still whiten it. The
policy loss alone gets the advantages times their factors.
"""

from __future__ import annotations

from typing import Any

import torch

from .. import modes
from ..needs import ANCHORLESS
from . import gathering, marks
from .gathering import Row
from .state import State, state

LOSS = f"{__package__}.loss"
COLUMNS = ("returns", "values", "teacher_log_probs")
WEIGHTS, FACTORS = "weights", "factors"
# No log-probability.
NO_VIEW = 1.0


def advantages(args: Any, rollout_data: dict[str, Any]) -> None:
    """Fill in `advantages`, GRPO's, and the columns that travel to `loss`."""
    from megatron.core import mpu
    from slime.utils.ppo_utils import get_grpo_returns

    _check(args, rollout_data, mpu.get_context_parallel_world_size())
    own = state()
    kl = rollout_data["kl"]
    device = kl[0].device
    rewards = torch.tensor(rollout_data["rewards"], dtype=torch.float32, device=device)
    group = mpu.get_data_parallel_group_gloo()
    found = gathering.together(lambda rows: gathering.find(own, rows), _rows(own, rollout_data), group)
    keys = _keys(rollout_data)
    rollout_data["advantages"] = get_grpo_returns(rewards, kl)
    columns = _columns(own)
    if own.wanted.shaping:
        rollout_data[columns.pop(FACTORS)] = [
            found.factors[key[0]].to(device) if key[0] in found.factors else torch.ones_like(x)
            for key, x in zip(keys, kl, strict=True)
        ]
    # slime divides by the rollouts of a step; each of several steps has its share of the rows.
    rows = own.settings.mode == "rows"
    factor = sum(rollout_data["global_batch_sizes"]) if rows else 1
    absent = 0.0 if rows else NO_VIEW
    for place, name in enumerate(columns.values()):
        rollout_data[name] = [
            found.columns[key][place].to(device) * factor
            if key in found.columns
            else torch.full_like(x, absent)
            for key, x in zip(keys, kl, strict=True)
        ]
    for name, value in found.numbers.items():
        rollout_data[name] = [value] * len(kl)


def loss(args: Any, batch: dict[str, Any], logits: torch.Tensor, sum_of_sample_mean: Any) -> Any:
    """Compute slime's policy loss of a micro-batch, and add the perception loss."""
    from slime.backends.megatron_utils import loss as slime

    own, columns = state(), _columns(state())
    shaped = batch["advantages"]
    if own.wanted.shaping:
        shaped = [x * factor for x, factor in zip(shaped, batch[columns[FACTORS]], strict=True)]
    value, said = slime.policy_loss_function(
        args, {**batch, "advantages": shaped}, logits, sum_of_sample_mean
    )
    _, found = slime.get_log_probs_and_entropy(
        logits,
        args=args,
        unconcat_tokens=batch["unconcat_tokens"],
        total_lengths=batch["total_lengths"],
        response_lengths=batch["response_lengths"],
        **slime.get_rollout_top_p_logprob_kwargs(args, batch),
    )
    if own.settings.mode == "detached":
        added = _detached(own, batch, found["log_probs"])
    else:
        log_probs, weights = torch.cat(found["log_probs"]), torch.cat(batch[columns[WEIGHTS]])
        added = -torch.where(weights != 0, log_probs * weights, 0).sum()
    # Every micro-batch reports the same names: slime adds them up by their places.
    return value + added, {**said, f"perception_{own.settings.mode}": added.detach()}


def _detached(own: State, batch: dict[str, Any], log_probs: list[torch.Tensor]) -> torch.Tensor:
    """Return the sum over the micro-batch's rollouts of their mean loss, as slime sums its own."""
    columns = _columns(own)
    part = [
        i
        for i, column in enumerate(batch[columns[own.wanted.others[0]]])
        if not (column > 0).any() and batch["loss_masks"][i].any()
    ]
    if not part:
        return torch.cat(log_probs).sum() * 0

    def packed(column: list[torch.Tensor]) -> torch.Tensor:
        return torch.cat([column[i] for i in part])

    lengths = torch.tensor([0, *(len(log_probs[i]) for i in part)])
    arguments: dict[str, Any] = {
        "response_mask": packed(batch["loss_masks"]),
        "cu_seqlens": lengths.cumsum(0),
        **own.settings.loss,
    }
    if own.wanted.advantages:
        arguments["advantages"] = packed(batch["advantages"])
    if own.wanted.options["detector"] == "divergence":
        arguments["old"] = packed(batch["log_probs"])
    others = {view: modes.Pass(packed(batch[columns[view]])) for view in own.wanted.others}
    return modes.detached(
        own.client, modes.Pass(packed(log_probs)), others, factor=float(len(part)), **arguments
    )


def _columns(own: State) -> dict[str, str]:
    """Return the column of each thing that travels to `loss`: the weights or each view, and the factors."""
    names = [WEIGHTS] if own.settings.mode == "rows" else list(own.wanted.others)
    return dict(zip(names + [FACTORS] * own.wanted.shaping, COLUMNS, strict=False))


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
    if args.use_opd and len(_columns(state())) == len(COLUMNS):
        raise ValueError(
            "--use-opd needs the teacher's log-probabilities, in whose column the advantages' factors travel: use mode "
            "rows, or a preset with one view"
        )
    _check_mode(state())


def _check_mode(own: State) -> None:
    if own.settings.mode != "detached":
        return
    if own.wanted.entropy:
        raise ValueError(
            f"preset {own.settings.preset} chooses tokens by their entropies, which mode detached does not carry: pass "
            'PERCEPTION_OPTIONS=\'{"detector": "divergence"}\''
        )
    estimator = own.wanted.options["estimator"]
    if own.wanted.options["terms"] and estimator in ANCHORLESS:
        raise ValueError(
            f"mode detached with estimator {estimator}: the original's gradient cancels, and the other views have none. "
            "Use k2 or k3, or mode rows"
        )


def _keys(rollout_data: dict[str, Any]) -> list[gathering.Key]:
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
