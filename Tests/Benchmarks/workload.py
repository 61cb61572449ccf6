"""The batches that are measured, from fixed seeds."""

import numpy as np


def compact(rows=8, length=4096, seed=0):
    """What a trainer posts without logits: log-probs under three views, entropies under two, advantages. F64."""
    random = np.random.default_rng(seed)
    original = random.gamma(0.6, 0.6, (rows, length))
    anchor = -random.exponential(0.4, (rows, length))
    return {
        "original.log_probs": anchor,
        "original.entropy": original,
        "preserving.log_probs": np.minimum(anchor + random.normal(0, 0.15, anchor.shape), 0),
        "removing.log_probs": np.minimum(anchor - random.exponential(0.5, anchor.shape) + 0.2, 0),
        "removing.entropy": np.maximum(original + random.normal(0.2, 0.6, original.shape), 0),
        "advantages": np.where(np.arange(rows) % 4 == 3, -1.0, 0.75),
    }


def logits(rows, vocabulary, seed=0):
    """Rows as language models have them: a broad bulk, a few tokens far above it. F64 [1, rows, vocabulary]."""
    random = np.random.default_rng(seed)
    values = random.normal(-2, 2.5, (1, rows, vocabulary))
    for row in values[0]:
        leaders = random.integers(0, vocabulary, 12)
        row[leaders] = 14 + random.exponential(2.5, 12)
    return values
