"""Advantages scaled by a response's dependency on the picture."""

import numpy as np


def advantage_scale(layout, values, o):
    """(scale of each row, diagnostics) from the dependency of each token."""
    inside = [np.flatnonzero(layout.viewed[start:end]) + start for start, end in layout.rows]
    some = np.array([len(own) > 0 for own in inside], bool)
    scale = np.ones(len(layout.rows))
    if not some.any():
        return scale, None
    score = np.array([values[own].mean() for own in inside if len(own)])
    low = score.min() if o["dependency_min"] is None else o["dependency_min"]
    high = score.max() if o["dependency_max"] is None else o["dependency_max"]
    told = {"min": float(score.min()), "max": float(score.max()), "mean": None}
    if high - low > 1e-6:
        share = np.clip((score - low) / (high - low), 0, 1)
        told["mean"] = float(share.mean())
        mean = told["mean"] if o["dependency_mean"] is None else o["dependency_mean"]
        scale[some] = o["advantage_floor"] + share * (1 - o["advantage_floor"]) / (mean + 1e-8)
    return scale, told
