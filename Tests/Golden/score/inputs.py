"""Tensors such as a policy has them under three views, drawn by name.

The random numbers of a case depend on its name alone, so that adding one changes no other.
"""

import zlib

import numpy as np
import torch

from golden_file import DTYPES


def draw(name):
    return np.random.default_rng(zlib.crc32(name.encode()))


def floats(values, dtype="F32"):
    return torch.tensor(np.asarray(values, dtype=np.float64)).to(DTYPES[dtype])


def views(random, shape, dtype="F32"):
    """Log-probabilities and entropies as a policy under three views has them: removing raises uncertainty."""
    original = random.gamma(1.2, 0.7, shape)
    anchor = -random.exponential(0.6, shape)
    return {
        "original.entropy": floats(original, dtype),
        "removing.entropy": floats(np.maximum(original + random.normal(0.25, 0.8, shape), 0), dtype),
        "original.log_probs": floats(anchor, dtype),
        "preserving.log_probs": floats(np.minimum(anchor + random.normal(0, 0.25, shape), 0), dtype),
        "removing.log_probs": floats(np.minimum(anchor - random.exponential(0.8, shape) + 0.3, 0), dtype),
    }


def logits(random, shape, vocabulary, dtype="F32", spread=2.0):
    base = random.normal(0, spread, (*shape, vocabulary))
    near = base + random.normal(0, 0.4, base.shape)
    far = 0.4 * base + random.normal(0, 0.7, base.shape)
    return {
        "original.logits": floats(base, dtype),
        "preserving.logits": floats(near, dtype),
        "removing.logits": floats(far, dtype),
        "token_ids": torch.tensor(random.integers(0, vocabulary, shape), dtype=torch.int64),
    }


def prefix_mask(lengths, width):
    return torch.tensor([[int(t < n) for t in range(width)] for n in lengths], dtype=torch.uint8)


def signed(random, count, positive):
    """Advantages well away from 0, a given share of them positive."""
    return floats(np.where(random.random(count) < positive, 1, -1) * random.uniform(0.1, 2, count))


def padded(name, batch, length, dtype="F32", advantages=True, mask=True):
    random = draw(name)
    tensors = views(random, (batch, length), dtype)
    if mask:
        tensors["response_mask"] = prefix_mask(random.integers(1, length + 1, batch), length)
    if advantages:
        tensors["advantages"] = signed(random, batch, 0.7)
    return tensors


def packed(name, lengths, dtype="F32"):
    random = draw(name)
    tensors = views(random, (sum(lengths),), dtype)
    tensors["cu_seqlens"] = torch.tensor(np.cumsum([0, *lengths]), dtype=torch.int32)
    tensors["advantages"] = signed(random, len(lengths), 0.7)
    return tensors


def with_logits(name, batch, length, vocabulary, dtype="F32", mask=True):
    random = draw(name)
    tensors = logits(random, (batch, length), vocabulary, dtype)
    if mask:
        tensors["response_mask"] = prefix_mask(random.integers(1, length + 1, batch), length)
    tensors["advantages"] = signed(random, batch, 0.8)
    return tensors


def only(tensors, *names):
    """The tensors so named and those that belong to no view."""
    return {k: t for k, t in tensors.items() if k in names or "." not in k}


def two_views(name, batch, length, other="removing", dtype="F32", lengths=None, **more):
    """Log-probabilities of the original and one other view, no entropies, no advantages: what PAPO and BiPS have."""
    tensors = packed(name, lengths, dtype) if lengths else padded(name, batch, length, dtype, **more)
    del tensors["advantages"]
    return only(tensors, "original.log_probs", f"{other}.log_probs")


def old_of(name, tensors, spread=0.05, dtype="F32"):
    """`old.log_probs` near those of `original`: a few steps of the optimizer ago."""
    current = tensors["original.log_probs"].double().numpy()
    moved = np.minimum(current + draw(name + " old").normal(0, spread, current.shape), 0)
    return tensors | {"old.log_probs": floats(moved, dtype)}
