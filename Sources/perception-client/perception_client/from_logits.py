"""Log-probabilities and entropies from logits, without large intermediate arrays."""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable

CHUNK_BYTES = 64 << 20
# exp(this) is 0 in every element type, and 0 · this is 0, which 0 · −inf is not.
_LOWEST = -1e4


def token_statistics(
    logits: torch.Tensor, token_ids: torch.Tensor, temperature: float = 1.0, chunk: int | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Compute the realised tokens' log-probabilities and the entropies of the tempered distribution, in nats.

    With z = logits / temperature: log_prob = z[token] − log Σ exp z, entropy = log Σ exp z − Σ softmax(z)·z.
    Gradients flow through the log-probabilities; entropies are constants. Logits may be −inf. The backward pass
    computes the softmax again, so that the logits are the only large array kept.

    Args:
        logits: [..., V], of any float type, on any device.
        token_ids: [...], whole numbers in 0 … V − 1.
        temperature: above 0.
        chunk: rows to process at once. Default: as many as fit in 64 MiB. Beside the logits and their gradient, peak
            memory is about chunk · V numbers of 32 bits.

    Returns:
        Both [...], F32 (F64 for F64 logits).
    """
    if temperature <= 0:
        raise ValueError(f"temperature: expected a number above 0, not {temperature}")
    if logits.shape[:-1] != token_ids.shape:
        raise ValueError(f"token_ids: expected {list(logits.shape[:-1])}, found {list(token_ids.shape)}")
    wide = torch.float64 if logits.dtype == torch.float64 else torch.float32
    rows = chunk or max(1, CHUNK_BYTES // max(1, logits.shape[-1] * wide.itemsize))
    result: tuple[torch.Tensor, torch.Tensor] = TokenStatistics.apply(
        logits, token_ids.long(), float(temperature), max(1, rows // 2), wide
    )  # type: ignore[no-untyped-call]
    return result


class TokenStatistics(torch.autograd.Function):
    """Works on pieces of half a chunk, since two arrays of a piece's size are alive at a time."""

    @staticmethod
    def forward(
        ctx: Any, logits: torch.Tensor, ids: torch.Tensor, temperature: float, piece: int, wide: torch.dtype
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Per piece: z − max z, its exponential, and their product's sum."""
        flat, tokens = logits.detach().reshape(-1, logits.shape[-1]), ids.reshape(-1, 1)
        log_probs = torch.empty(len(flat), dtype=wide, device=logits.device)
        entropy, log_sums = torch.empty_like(log_probs), torch.empty_like(log_probs)
        for start in range(0, len(flat), piece):
            rows = slice(start, start + piece)
            z = flat[rows].to(wide, copy=True).div_(temperature)
            highest = z.amax(-1, keepdim=True)
            z.sub_(highest)
            realised = z.gather(-1, tokens[rows])[:, 0]
            z.clamp_(min=_LOWEST)
            powers = z.exp()
            total = powers.sum(-1)
            log_total = total.log()
            torch.sub(realised, log_total, out=log_probs[rows])
            torch.sub(log_total, powers.mul_(z).sum(-1) / total, out=entropy[rows])
            torch.add(highest[:, 0], log_total, out=log_sums[rows])
            del z, powers
        ctx.save_for_backward(logits, tokens, log_sums)
        ctx.temperature, ctx.piece, ctx.wide = temperature, piece, wide
        log_probs, entropy = log_probs.view(ids.shape), entropy.view(ids.shape)
        ctx.mark_non_differentiable(entropy)
        return log_probs, entropy

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, output: torch.Tensor, _: torch.Tensor) -> tuple[Any, ...]:
        """∂log_prob/∂logit_v = (1[v = token] − softmax(z)_v) / temperature."""
        logits, tokens, log_sums = ctx.saved_tensors
        flat = logits.reshape(-1, logits.shape[-1])
        gradient = torch.empty_like(flat)
        scale = output.reshape(-1, 1).to(ctx.wide) / ctx.temperature
        for start in range(0, len(flat), ctx.piece):
            rows = slice(start, start + ctx.piece)
            z = flat[rows].to(ctx.wide, copy=True).div_(ctx.temperature).sub_(log_sums[rows, None]).exp_()
            z.mul_(-scale[rows]).scatter_add_(-1, tokens[rows], scale[rows])
            gradient[rows] = z
            del z
        return gradient.view(logits.shape), None, None, None, None
