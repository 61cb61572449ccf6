"""`loss` and `objective`: the server's loss in the autograd of torch or JAX.

There is one round trip: the answer holds the loss and its gradients, and the backward pass multiplies these by its own.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from . import batches, normalising, numbers, options
from .arrays import is_brain
from .calls import Call
from .errors import BrokenReply, InvalidRequest, OtherRankFailed, PerceptionError, ServerError, Unreachable
from .results import Score

if TYPE_CHECKING:
    from .autograd import Last

log = logging.getLogger("perception_client")
# Faults of one batch's numbers; other 4xx are mistakes of the program, and skipping would hide them for ever.
SKIPPED_TYPES = frozenset({"non-finite-value", "invalid-value"})
_NORMAL = ("normalise", "num_items", "accumulation_steps", "world_size", "policy_items", "global_batch_size")
_OWN = (*_NORMAL, "tokens", "dump")
# Their gradients are of logits without being named. A list of the contract's; see there.
FULL_VOCABULARY = frozenset({"full_kl", "jsd", "jeffreys"})
_WHOLE = ("entropy_coefficients", "policy", "kl_coefficient")
OKAY, SKIP, STOP = 0, 1, 2


@dataclass(frozen=True)
class Wanted:
    """A loss to request: named tensors, options, and how to scale the result.

    Attributes:
        value: `loss` or `objective`.
        named: every tensor by the contract's name.
        differentiable: names of the tensors that get gradients: log-probabilities or logits.
    """

    client: Last
    value: str
    named: dict[str, Any]
    differentiable: tuple[str, ...]
    option: dict[str, Any]
    plan: normalising.Plan
    tokens: Any = None
    dump: Any = None

    def request(self, named: Mapping[str, Any], needed: Sequence[bool]) -> Asked:
        """Make the request for the score with the gradients that are needed."""
        stored = batches.stored(named)
        option = self.option | self.plan.options
        more = {} if self.tokens is None else {"tokens": options.text(self.tokens)}
        if self.dump is not None:
            numbers.saved(self.dump, "/v1/score", stored, option, more)
        part = option | {"return": self._returned(needed)} | self._narrowed(needed)
        call = numbers.posted("/v1/score", stored, part, **more)
        return Asked(call, lambda: numbers.posted("/v1/score", stored, option, **more))

    def accepted(self, score: Score, needed: Sequence[bool]) -> Score:
        """Return the score if its gradients and options are those requested. Raises BrokenReply otherwise."""
        found = score.options.get("gradient_of", "loss")
        if found != self.value and any(needed):
            raise BrokenReply(f"the gradients are of {found}, not of {self.value}")
        self.plan.check(score.options)
        return score

    def _returned(self, needed: Sequence[bool]) -> list[str]:
        names = list(self.option.get("return") or ["mask"])
        needs = [name for name, need in zip(self.differentiable, needed, strict=True) if need]
        if not needs:
            return names
        preset = str(self.option.get("preset", "cppo-verl"))
        if len(needs) == len(needed) or "terms" in self.option or not preset.startswith("cppo-"):
            return [*names, "grad"]
        return names + [f"grad.{name}" for name in needs]

    def _narrowed(self, needed: Sequence[bool]) -> dict[str, str]:
        """Ask for BF16 where every gradient of logits ends as one: the same numbers in half the bytes."""
        preset = str(self.option.get("preset", "cppo-verl"))
        estimator = self.option.get("estimator", "full_kl" if preset == "cppo-paper" else None)
        terms = self.option.get("terms", preset != "vppo")
        if estimator not in FULL_VOCABULARY or not terms or "result_type" in self.option:
            return {}
        wanted = [self.named[n] for n, need in zip(self.differentiable, needed, strict=True) if need]
        brains = all(n.endswith(".logits") for n in self.differentiable) and all(map(is_brain, wanted))
        return {"result_type": "BF16"} if wanted and brains else {}

    def settled(self, named: Mapping[str, Any], needed: Sequence[bool], agree: Agreement) -> Score:
        """Send the request, and agree with the other ranks on how to treat an error."""
        client = self.client
        score, error = None, None
        try:
            asked = self.request(named, needed)
            score = self.accepted(client.send(asked.call), needed)
            score = replace(score, complete=lambda: client.send(asked.whole()))
        except (PerceptionError, ValueError, TypeError, OSError) as caught:
            error = caught
        return self.decided(score, error, agree)

    def decided(self, score: Score | None, error: Exception | None, agree: Agreement) -> Score:
        """Return the score and keep it as `last`; raise the error, or skip it, on all ranks alike.

        Raises:
            OtherRankFailed: another rank's call was refused in a way that is not skipped.
        """
        client = self.client
        if client.on_error == "raise" and error is not None:
            raise error
        severity = OKAY if error is None else SKIP if _passes(error) else STOP
        agreed = agree(severity)
        if agreed == STOP:
            raise error if severity == STOP and error else OtherRankFailed("another rank's call was refused")
        if agreed == OKAY and score is not None:
            return client.remember(score)
        reason = (
            error if isinstance(error, PerceptionError) else OtherRankFailed("another rank skips this step")
        )
        log.warning("step skipped, its perception loss is 0: %s", reason)
        client.skipped += 1
        return client.remember(Score(skipped=True, error=reason))


@dataclass(frozen=True)
class Asked:
    """A loss's request, and the same request for every array."""

    call: Call[Score]
    whole: Callable[[], Call[Score]]


Agreement = Callable[[int], int]


def _passes(error: Exception) -> bool:
    """Whether an error is of this batch or this moment, so that skipping it hides no mistake of the program."""
    if isinstance(error, InvalidRequest):
        return error.type in SKIPPED_TYPES
    return isinstance(error, ServerError | Unreachable)


def alone(severity: int) -> int:
    """Agree with nobody."""
    return severity


def wanted(client: Last, value: str, given: dict[str, Any]) -> Wanted:
    """Sort the arguments of `loss` or `objective`."""
    option = {name.rstrip("_"): v for name, v in given.pop("option").items()}
    tokens, dump = given.pop("tokens", None), given.pop("dump", None)
    normal = {name: given.pop(name, None) for name in _NORMAL}
    option = options.checked(option, given)
    if "grad_scale" in option:
        raise ValueError("grad_scale would change the gradients and not the loss: multiply the loss instead")
    if value == "objective" or any(n in option for n in _WHOLE) or not _contrastive(option):
        option["gradient_of"] = value
    policy = value == "objective" and (
        option.get("policy", "none") != "none" or bool(option.get("kl_coefficient"))
    )
    plan = normalising.plan(options=option, policy=policy, group=client.group, **normal)
    named = batches.named(given)
    kinds = (
        (".logits",) if not any(n.endswith(".log_probs") and _is_view(n) for n in named) else (".log_probs",)
    )
    differentiable = tuple(n for n in named if n.endswith(kinds) and _is_view(n))
    if not differentiable:
        raise TypeError('a loss needs log_probs={"original": …, …} (or logits) with their graph')
    return Wanted(client, value, named, differentiable, option, plan, tokens, dump)


def sorted_arguments(given: dict[str, Any]) -> dict[str, Any]:
    """Separate the options of a loss from its named arguments."""
    known = {*batches.TENSORS, *_OWN}
    option = {name: value for name, value in given.items() if name not in known}
    return {name: value for name, value in given.items() if name in known} | {"option": option}


def library(loss: Wanted) -> str:
    """Return the library of the caller's arrays, `torch` or `jax`. Raises TypeError for others and for a mixture."""
    values = [loss.named[name] for name in loss.differentiable]
    torch, jax = sys.modules.get("torch"), sys.modules.get("jax")
    if torch is not None and all(isinstance(v, torch.Tensor) for v in values):
        return "torch"
    if jax is not None and all(isinstance(v, jax.Array) for v in values):
        return "jax"
    kinds = ", ".join(sorted({type(v).__name__ for v in values}))
    raise TypeError(
        f"a loss needs torch tensors or JAX arrays, not {kinds}; score(…) takes all and has .loss and .grad"
    )


def evaluated(loss: Wanted) -> Any:
    """Compute the loss with the library whose arrays the caller gave."""
    if library(loss) == "torch":
        from . import torch_loss

        return torch_loss.evaluated(loss)
    from . import jax_loss

    return jax_loss.evaluated(loss)


def _is_view(name: str) -> bool:
    return name.partition(".")[0] in ("original", "preserving", "removing")


def _contrastive(option: Mapping[str, Any]) -> bool:
    return str(option.get("preset", "cppo-verl")).startswith("cppo-")
