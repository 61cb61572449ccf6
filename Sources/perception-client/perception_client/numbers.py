"""The numeric endpoints as calls: /v1/score, /v1/mask, /v1/entropy, /v1/advantages.

Every function takes tensors as keyword arguments – NumPy, torch, JAX, or lists – and treats every other keyword as an
option of the contract; None is the contract's null. B sequences, T response positions, V vocabulary entries, K best
tokens. With `cu_seqlens` [B+1] the tensors are packed, [N,…] in place of [B,T,…]. All values are in nats.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from . import batches, options
from .batches import PerView
from .calls import Call, target
from .results import Advantages, Entropies, Mask, Score, arranged
from .safetensors_file import MEDIA_TYPE, Stored, encode


def score(
    *,
    log_probs: PerView | None = None,
    entropy: PerView | None = None,
    logits: PerView | Any = None,
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
    tokens: Iterable[Any] | None = None,
    dump: str | Path | None = None,
    **option: Any,
) -> Call[Score]:
    """Score rollouts under three views: mask, per-token loss, loss, gradients, diagnostics.

    Args:
        log_probs: the realised tokens' log-probabilities by view, [B,T].
        entropy: entropies by view, [B,T]; the detector `entropy` needs `original` and `removing`.
        logits: [B,T,V] by view, or [B,T,3,V] unnamed, in place of log-probabilities and entropies.
        top_log_probs: the K best log-probabilities by view, [B,T,K].
        token_ids: [B,T], needed with logits.
        response_mask: [B,T], 0 and 1 of any type. Default: all ones.
        advantages: [B], [B,1] or [B,T].
        rewards: [B], with `group_ids` in place of advantages.
        group_ids: [B], whole numbers or text, equal for rollouts of the same prompt.
        cu_seqlens: [B+1], for packed tensors.
        old: log-probabilities [B,T] of the policy that sampled.
        reference: log-probabilities [B,T] of the reference policy.
        perception_mask: [B,T], with the detector `given`.
        has_views: [B], 0 for rows of text alone, whose other views are never read.
        tokens: text of each token, for the heat map: B lists, or one list when B is 1.
        dump: a file to write the request to, for `perception replay`.
        option: any option of /v1/score, such as `preset`, `tau`, `return_` (the trailing `_` avoids the keyword).
    """
    return _numeric("/v1/score", functools.partial(arranged, Score), locals())


def mask(
    *,
    entropy: PerView | None = None,
    log_probs: PerView | None = None,
    top_log_probs: PerView | None = None,
    response_mask: Any = None,
    advantages: Any = None,
    rewards: Any = None,
    group_ids: Any = None,
    cu_seqlens: Any = None,
    old: Any = None,
    perception_mask: Any = None,
    has_views: Any = None,
    dump: str | Path | None = None,
    **option: Any,
) -> Call[Mask]:
    """Compute only the perception mask and the gate. Takes the arguments of `score`."""
    return _numeric("/v1/mask", functools.partial(arranged, Mask), locals())


def entropy(
    logits: PerView | Any,
    *,
    token_ids: Any = None,
    cu_seqlens: Any = None,
    dump: str | Path | None = None,
    **option: Any,
) -> Call[Entropies]:
    """Compute entropy and log-sum-exp of logits [B,T,V] or [N,V], and log-probabilities when `token_ids` are given.

    Args:
        logits: one array, or one for each view.
        token_ids: [B,T] or [N].
        cu_seqlens: [B+1]; only checked.
        dump: a file to write the request to.
        option: `temperature`, `return_`.
    """
    return _numeric("/v1/entropy", functools.partial(arranged, Entropies), locals())


def advantages(
    rewards: Any, group_ids: Any, *, dump: str | Path | None = None, **option: Any
) -> Call[Advantages]:
    """Compute advantages from rewards [B] within groups [B].

    Args:
        rewards: one number for each sequence.
        group_ids: whole numbers or text, equal for rollouts of the same prompt.
        dump: a file to write the request to.
        option: `advantage_estimator` (grpo, dr_grpo, rloo), `std_epsilon`.
    """
    return _numeric("/v1/advantages", functools.partial(arranged, Advantages), locals())


def posted(path: str, tensors: Mapping[str, Stored], option: Mapping[str, Any], **more: str) -> Call[Any]:
    """Post stored tensors and checked options to a numeric path; `more` is further metadata."""
    kinds = {"/v1/score": Score, "/v1/mask": Mask, "/v1/entropy": Entropies, "/v1/advantages": Advantages}
    read = functools.partial(arranged, kinds[path])
    pieces = encode(tensors, options.metadata(option) | more)
    return Call("POST", target(path), read, {"Content-Type": MEDIA_TYPE}, tuple(pieces))


def _numeric(path: str, read: Callable[..., Any], given: dict[str, Any]) -> Call[Any]:
    option = {name.rstrip("_"): value for name, value in given.pop("option").items()}
    dump, tokens = given.pop("dump"), given.pop("tokens", None)
    tensors = batches.stored(batches.named(given))
    wanted = options.checked(option, given)
    more = {"tokens": options.text(tokens)} if tokens is not None else {}
    if dump is not None:
        saved(dump, path, tensors, wanted, more)
    return posted(path, tensors, wanted, **more)


def saved(
    file: str | Path,
    path: str,
    tensors: Mapping[str, Stored],
    option: Mapping[str, Any],
    more: Mapping[str, str],
) -> None:
    """Write a request to a file, with its path in the metadata."""
    Path(file).write_bytes(b"".join(encode(tensors, options.metadata(option) | dict(more) | {"path": path})))
