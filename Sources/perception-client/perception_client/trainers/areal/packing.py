"""AReaL's packed rows, and the attention implementations that keep them apart."""

from __future__ import annotations

from typing import Any

# These take the rows' borders (`cu_seqlens`) from AReaL; so do kernels of the hub, which are named by their repository.
VARLEN = ("flash_attention_2", "flash_attention_3")


def keeps_rows_apart(attention: str) -> bool:
    """Whether an attention implementation sees where one packed row ends and the next begins."""
    return attention in VARLEN or "/" in attention


def refuse_packed(attention: str, batches: Any) -> None:
    """Refuse micro-batches of several rows if the attention crosses their borders.

    AReaL packs the rows of a micro-batch into one. With sdpa or eager attention each row then sees those before it, and
    log-probabilities are off by up to 0.7 nats: more than a view changes them.

    Args:
        attention: the engine's `attn_impl`.
        batches: AReaL's `MicroBatchList`.

    Raises:
        ValueError: a micro-batch has several rows, and the attention does not keep them apart.
    """
    if keeps_rows_apart(attention):
        return
    most = max((len(b["cu_seqlens"]) - 1 for b in batches.mbs), default=0)
    if most > 1:
        raise ValueError(
            f"a micro-batch has {most} packed rows, which see each other with attn_impl={attention!r}: set "
            "attn_impl to flash_attention_2, or give each micro-batch one row (ppo_n_minibatches: 1, and mb_spec.n_mbs: "
            "the rows of a batch on one rank)"
        )
