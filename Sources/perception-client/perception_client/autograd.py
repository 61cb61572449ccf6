"""The client's methods for autograd: `loss`, `objective` and `count`, and the state that they keep."""

from __future__ import annotations

import os
import threading
from typing import Any, Literal

from . import losses, numbers
from .batches import PerView
from .calls import Call
from .normalising import Normalise
from .results import Mask, Score

# What /v1/mask has no use for.
LOSS_ONLY = frozenset({
    "aggregation", "coefficient", "denominator", "dump", "entropy_coefficients", "global_batch_size", "gradient_of",
    "logits", "loss", "loss_cap", "norm_length", "normalise", "num_items", "return", "stop_gradient", "tau", "terms",
    "token_ids", "tokens", "world_size", "accumulation_steps", "temperature", "reference", "clip_high", "clip_low",
    "dual_clip", "importance_level", "kl_coefficient", "kl_estimator", "policy", "policy_aggregation",
    "policy_denominator", "policy_items", "policy_tokens", "result_type",
})  # fmt: skip
# Options by which /v1/mask does one thing each.
DETECTOR = frozenset({
    "detector", "score", "epsilon", "min_delta_entropy", "candidates", "top_k_ratio", "quota", "scope", "ties",
})  # fmt: skip
GATE = frozenset({"gate", "gate_threshold"})
SCALE = frozenset({
    "advantage_shaping", "advantage_floor", "dependency_min", "dependency_max", "dependency_mean",
})  # fmt: skip


def counting(given: dict[str, Any]) -> Call[Mask]:
    """Make the request of `count` from the arguments of a loss."""
    # A scale counts no tokens, and would need a removing view where the detector looks at none.
    wanted = {k: v for k, v in given.items() if k.rstrip("_") not in LOSS_ONLY | SCALE}
    log_probs = wanted.pop("log_probs", None)
    if log_probs is not None and (wanted.get("detector") == "divergence" or wanted.get("preset") == "vppo"):
        wanted["log_probs"] = {view: x for view, x in log_probs.items() if view != "preserving"}
    return numbers.mask(**wanted, return_=["mask"])


class _OfThread(threading.local):
    score: Score | None = None


class Last:
    """The state that losses keep, and how they treat errors.

    Attributes:
        on_error: `raise`, or `skip` for a zero loss with zero gradients when a call fails.
        group: the process group that agrees on skipping.
        skipped: the number of losses that this process has skipped.
    """

    def __init__(self, on_error: Literal["raise", "skip"], group: Any) -> None:
        if on_error not in ("raise", "skip"):
            raise ValueError(f'on_error: expected "raise" or "skip", not {on_error!r}')
        self.on_error = on_error
        self.group = group
        self.skipped = 0
        self._last = _OfThread()
        self._latest: Score | None = None

    def send(self, call: Call[Any]) -> Any:
        """Send a call. The client implements this."""
        raise NotImplementedError

    def remember(self, score: Score) -> Score:
        """Store a score as this thread's `last`."""
        self._last.score = self._latest = score
        return score

    @property
    def last(self) -> Score:
        """The result of this thread's last `loss` or `objective`, for logging and the heat map."""
        # JAX calls back on threads of its own; whoever asks from another one gets the latest.
        score = self._last.score or self._latest
        if score is None:
            raise LookupError("no loss has been made yet")
        return score

    def __getstate__(self) -> dict[str, Any]:
        # Another process has other threads and other process groups.
        state = self.__dict__ | {"group": None, "_latest": None}
        del state["_last"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _last=_OfThread())


class Autograd(Last):
    """Losses as scalars of torch or JAX."""

    def loss(
        self,
        log_probs: PerView | None = None,
        *,
        entropy: PerView | None = None,
        logits: PerView | None = None,
        top_log_probs: PerView | None = None,
        token_ids: Any = None,
        response_mask: Any = None,
        advantages: Any = None,
        rewards: Any = None,
        group_ids: Any = None,
        cu_seqlens: Any = None,
        old: Any = None,
        perception_mask: Any = None,
        has_views: Any = None,
        normalise: Normalise | None = None,
        num_items: float | None = None,
        global_batch_size: int | None = None,
        accumulation_steps: int | None = None,
        world_size: int | None = None,
        tokens: Any = None,
        dump: str | os.PathLike[str] | None = None,
        **option: Any,
    ) -> Any:
        """Compute the perception loss as a torch or JAX scalar whose backward pass has the server's gradients.

        The value is the loss before its coefficient: add `coefficient * loss` to the policy loss. Tensors and options are
        those of `score`. Gradients flow to `log_probs` (to `logits` with the full-vocabulary estimators); everything else
        is a constant. The client requests only the gradients that a graph needs. Afterwards `last` has the whole result.
        B sequences, T response positions, V vocabulary entries, K best tokens; numbers are in nats.

        Args:
            log_probs: [B,T] by view.
            entropy: [B,T] by view.
            logits: [B,T,V] by view.
            top_log_probs: [B,T,K] by view.
            token_ids: [B,T].
            response_mask: [B,T].
            advantages: [B], [B,1] or [B,T].
            rewards: [B].
            group_ids: [B].
            cu_seqlens: [B+1].
            old: [B,T], the sampling policy's log-probabilities, for the detector `divergence`.
            perception_mask: [B,T], with the detector `given`.
            has_views: [B], 0 for rows of text alone, whose other views are never read.
            normalise: how micro-batches and ranks add up: `micro`, `tokens` or `sequences`; see `normalising.plan`.
            num_items: with `tokens`: the whole batch's tokens, over micro-batches and ranks.
            global_batch_size: with `sequences`: the whole batch's sequences.
            accumulation_steps: with `micro`: micro-batches of a step.
            world_size: ranks whose gradients are averaged; absent, those of torch.distributed.
            tokens: text of each token, for the heat map.
            dump: a file to write the request to.
            option: any option of /v1/score.

        Raises:
            PerceptionError: the call failed, and `on_error` is `raise` or does not cover this failure.
            TypeError, ValueError: an argument has the wrong type or shape.
        """
        given = {k: v for k, v in locals().items() if k != "self"}
        return losses.evaluated(losses.wanted(self, "loss", given))

    def objective(
        self,
        log_probs: PerView | None = None,
        *,
        entropy: PerView | None = None,
        logits: PerView | None = None,
        top_log_probs: PerView | None = None,
        token_ids: Any = None,
        response_mask: Any = None,
        advantages: Any = None,
        rewards: Any = None,
        group_ids: Any = None,
        cu_seqlens: Any = None,
        old: Any = None,
        reference: Any = None,
        perception_mask: Any = None,
        has_views: Any = None,
        normalise: Normalise | None = None,
        num_items: float | None = None,
        policy_items: float | None = None,
        global_batch_size: int | None = None,
        accumulation_steps: int | None = None,
        world_size: int | None = None,
        tokens: Any = None,
        dump: str | os.PathLike[str] | None = None,
        **option: Any,
    ) -> Any:
        """Compute the whole objective as a torch or JAX scalar: policy loss, KL, perception loss, entropy terms.

        objective = policy_loss + kl_coefficient · kl + coefficient · loss + Σ entropy_coefficients[v] · entropy_loss[v].
        Gradients flow and errors are raised as by `loss`.

        Args:
            log_probs: [B,T] by view.
            entropy: [B,T] by view.
            logits: [B,T,V] by view.
            top_log_probs: [B,T,K] by view.
            token_ids: [B,T].
            response_mask: [B,T].
            advantages: [B], [B,1] or [B,T].
            rewards: [B].
            group_ids: [B].
            cu_seqlens: [B+1].
            old: [B,T], the sampling policy's log-probabilities; the policy loss needs them.
            reference: [B,T], the reference policy's, for the KL.
            perception_mask: [B,T], with the detector `given`.
            has_views: [B], 0 for rows of text alone, whose other views are never read.
            normalise: `micro`, `tokens`, or, without a policy loss or a KL, `sequences`.
            num_items: with `tokens`: the perception loss's divisor, such as the total of `count` over the whole batch.
            policy_items: with `tokens`: the policy loss's divisor, the whole batch's response tokens.
            global_batch_size: with `sequences`: the whole batch's sequences.
            accumulation_steps: with `micro`: micro-batches of a step.
            world_size: ranks whose gradients are averaged; absent, those of torch.distributed.
            tokens: text of each token, for the heat map.
            dump: a file to write the request to.
            option: any option of /v1/score, such as `policy="ppo"`.
        """
        given = {k: v for k, v in locals().items() if k != "self"}
        return losses.evaluated(losses.wanted(self, "objective", given))

    def count(self, **given: Any) -> int:
        """Count the tokens that carry loss, without gradients, by /v1/mask.

        Takes the arguments of `loss` and ignores options that only concern the loss. The sum of the counts over a step's
        micro-batches and, with `across_ranks`, over ranks is the `num_items` of `normalise="tokens"`: with it the losses
        add up to the token-mean of the whole batch.
        """
        return int(self.send(counting(given)).gated)
