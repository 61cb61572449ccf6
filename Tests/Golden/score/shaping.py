"""Advantages scaled by how much a response depends on the picture (VPPO), over the whole request."""

import math

import torch


def advantage_scale(batch, values, o):
    """(scale of each row, {min, max, mean} or None when no row has tokens); `values` is the dependency of each token."""
    tokens = [[i for i in range(start, end) if batch.viewed[i]] for start, end in batch.rows]
    means = {b: math.fsum(float(values[i]) for i in own) / len(own) for b, own in enumerate(tokens) if own}
    scale = torch.ones(len(batch.rows), dtype=torch.float64)
    if not means:
        return scale, None
    found = dict(min=min(means.values()), max=max(means.values()), mean=None)
    low = found["min"] if o["dependency_min"] is None else o["dependency_min"]
    high = found["max"] if o["dependency_max"] is None else o["dependency_max"]
    if high - low <= 1e-6:
        return scale, found
    share = {b: min(max((s - low) / (high - low), 0.0), 1.0) for b, s in means.items()}
    found["mean"] = math.fsum(share.values()) / len(share)
    mean = found["mean"] if o["dependency_mean"] is None else o["dependency_mean"]
    floor = o["advantage_floor"]
    for b, u in share.items():
        scale[b] = floor + u * (1 - floor) / (mean + 1e-8)
    return scale, found
