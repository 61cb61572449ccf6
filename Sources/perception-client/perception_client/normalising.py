"""How the losses of micro-batches and ranks add up to the whole batch's.

A trainer adds gradients over micro-batches and averages them over ranks. A `Plan` has the options of the request and
the factor of its loss and gradients that make the sum of the averages the loss of the whole batch.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Normalise = Literal["micro", "tokens", "sequences"]
_ADDITIVE = ("tokens", "sequences")


@dataclass(frozen=True)
class Plan:
    """Options for the server, and the factor of its loss and gradients."""

    options: dict[str, Any] = field(default_factory=dict)
    factor: float = 1.0
    additive: bool = False

    def check(self, resolved: Mapping[str, Any]) -> None:
        """Refuse options that do not add up over micro-batches; takes the options as the server applied them."""
        if not self.additive:
            return
        if resolved.get("loss_cap") is not None:
            raise ValueError(
                f"loss_cap ({resolved['loss_cap']}, perhaps from the preset) acts on one request's aggregate and "
                'does not add up over micro-batches: pass loss_cap=None, or normalise="micro"'
            )
        coefficients = {view: c for view, c in (resolved.get("entropy_coefficients") or {}).items() if c}
        if coefficients and resolved.get("gradient_of") == "objective":
            raise ValueError(
                f"entropy_coefficients ({coefficients}, perhaps from the preset) are of means over one request's tokens, "
                'which does not add up over micro-batches: pass entropy_coefficients={}, or normalise="micro"'
            )


def plan(
    normalise: Normalise | None,
    *,
    options: Mapping[str, Any],
    num_items: float | None,
    global_batch_size: int | None,
    accumulation_steps: int | None,
    world_size: int | None,
    policy_items: float | None = None,
    policy: bool = False,
    group: Any = None,
) -> Plan:
    """Make the plan of one call.

    Args:
        normalise: None: this request is the whole batch of this rank. `micro`: the mean of the micro-batches' losses,
            an approximation where they differ in gated tokens. `tokens`: Σ token losses / `num_items`. `sequences`:
            the mean over `global_batch_size` sequences of each one's loss.
        options: the caller's options.
        num_items: tokens of the whole batch, over all micro-batches and ranks; need not be whole.
        global_batch_size: sequences of the whole batch, over all micro-batches and ranks.
        accumulation_steps: micro-batches of one optimizer step.
        world_size: ranks over which the trainer averages gradients. Default: those of torch.distributed.
        policy_items: response tokens of the whole batch, the policy loss's divisor; absent, `num_items`.
        policy: whether the request has a policy loss.
        group: the process group whose ranks are averaged over.
    """
    if normalise is None:
        _refuse(num_items=num_items, accumulation_steps=accumulation_steps, policy_items=policy_items)
        return Plan({} if global_batch_size is None else {"global_batch_size": global_batch_size})
    if normalise == "micro":
        _refuse(num_items=num_items, policy_items=policy_items)
        if not accumulation_steps or accumulation_steps < 1:
            raise ValueError('normalise="micro" needs accumulation_steps, 1 or more')
        whole = {} if global_batch_size is None else {"global_batch_size": global_batch_size}
        return Plan(whole, 1 / accumulation_steps)
    if normalise not in _ADDITIVE:
        raise ValueError(f"normalise: expected micro, tokens, sequences or None, not {normalise!r}")
    for name in ("loss_cap", "entropy_coefficients"):
        if options.get(name):
            raise ValueError(f'{name} does not add up over micro-batches: use normalise="micro" with it')
    ranks = float(world_size if world_size is not None else _ranks(group))
    if normalise == "tokens":
        _refuse(global_batch_size=global_batch_size, accumulation_steps=accumulation_steps)
        wanted = _divisor("num_items", num_items)
        _refuse_aggregation(options, "token-sum")
        given: dict[str, Any] = {"aggregation": "token-sum", "denominator": wanted}
        if policy:
            tokens = wanted if policy_items is None else _divisor("policy_items", policy_items)
            given |= {"policy_aggregation": "token-sum", "policy_denominator": tokens}
        return Plan(given, ranks, True)
    _refuse(num_items=num_items, accumulation_steps=accumulation_steps, policy_items=policy_items)
    if policy:
        raise ValueError(
            'normalise="sequences" is for the perception loss: the policy loss needs "tokens" or "micro"'
        )
    if not global_batch_size or global_batch_size < 1:
        raise ValueError('normalise="sequences" needs global_batch_size, the sequences of the whole batch')
    aggregation = options.get("aggregation", "seq-mean-token-mean")
    if not str(aggregation).startswith("seq-mean"):
        raise ValueError(f'normalise="sequences" goes with a seq-mean aggregation, not {aggregation!r}')
    return Plan({"aggregation": aggregation, "global_batch_size": int(global_batch_size)}, ranks, True)


def across_ranks(number: float, group: Any = None) -> float:
    """Return the sum of a number over the ranks of torch.distributed, or the number itself without ranks."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return number
    total = torch.tensor(float(number), dtype=torch.float64, device=collective_device(group))
    torch.distributed.all_reduce(total, group=group)
    return float(total)


def collective_device(group: Any = None) -> Any:
    """Return the device that a collective needs: the current CUDA device for NCCL, otherwise the CPU."""
    torch = sys.modules["torch"]
    if "nccl" in str(torch.distributed.get_backend(group)):
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("cpu")


def _ranks(group: Any) -> int:
    torch = sys.modules.get("torch")
    if torch is None or not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return 1
    return int(torch.distributed.get_world_size(group))


def _divisor(name: str, value: float | None) -> float:
    if value is None or value < 0:
        raise ValueError(f'normalise="tokens" needs {name}, the tokens of the whole batch')
    # Nothing is summed where no token counts, so that any divisor gives 0.
    return float(value) or 1.0


def _refuse(**values: Any) -> None:
    for name, value in values.items():
        if value is not None:
            raise ValueError(f"{name} means nothing with this normalise")


def _refuse_aggregation(options: Mapping[str, Any], wanted: str) -> None:
    given = options.get("aggregation", wanted)
    if given != wanted:
        raise ValueError(f'normalise="tokens" is the aggregation {wanted}; {given!r} is another')
