"""D(anchor ‖ reference) of a token and its slopes, with clamps whose gradient is 0 where they act."""

import math

import numpy as np

from .options import FULL_VOCABULARY


def clamped(value, limit):
    """(value within ±limit, where the clamp acts)"""
    if limit is None:
        return value, np.zeros(value.shape, bool)
    return np.clip(value, -limit, limit), np.abs(value) > limit


def sampled(a, ref, o):
    """(D, ∂D/∂a, clamp active); ∂D/∂ref = −∂D/∂a for every sampled estimator."""
    x, active = clamped(ref - a, o["clamp_input"])
    if o["estimator"] == "k1":
        value, slope = -x, np.ones_like(x)
    elif o["estimator"] == "abs":
        value, slope = np.abs(x), -np.sign(x)
    elif o["estimator"] == "k2":
        value, slope = x * x / 2, -x
    elif o["estimator"] == "symmetric":
        value, slope = 2 * np.sinh(x / 2) ** 2, -np.sinh(x)
    elif o["estimator"] == "k3":
        value, slope = np.expm1(x) - x, -np.expm1(x)
    else:
        raise ValueError(f"no estimator {o['estimator']!r} here")
    value, beyond = clamped(value, o["clamp_result"])
    active = active | beyond
    return value, np.where(active, 0, slope), active


def relative_entropy(log_p, log_q):
    """(KL(p ‖ q), its slope for z_p, its slope for z_q) of logits at temperature 1; p = 0 contributes nothing."""
    p, q = np.exp(log_p), np.exp(log_q)
    with np.errstate(invalid="ignore"):
        gap = np.where(p > 0, log_p - log_q, 0)
    value = (p * gap).sum(-1)
    return value, p * (gap - value[..., None]), q - p


def over_vocabulary(log_a, log_r, estimator):
    """(D, ∂D/∂z_a, ∂D/∂z_r) of logits z at temperature 1."""
    if estimator == "full_kl":
        return relative_entropy(log_a, log_r)
    if estimator == "jeffreys":
        there, back = relative_entropy(log_a, log_r), relative_entropy(log_r, log_a)
        return (there[0] + back[0]) / 2, (there[1] + back[2]) / 2, (there[2] + back[1]) / 2
    if estimator != "jsd":
        raise ValueError(f"no estimator {estimator!r} here")
    log_m = np.logaddexp(log_a, log_r) - math.log(2)
    # The middle moves with both, but Σ m' = 0 leaves only what the outer distributions do.
    left, slope_a, _ = relative_entropy(log_a, log_m)
    right, slope_r, _ = relative_entropy(log_r, log_m)
    return (left + right) / 2, slope_a / 2, slope_r / 2


def distance(layout, anchor, reference, o):
    """(D, slope of the anchor, slope of the reference, clamp active): slopes for log-probs [N], or raw logits [N,V]."""
    if o["estimator"] not in FULL_VOCABULARY:
        value, slope, active = sampled(layout.realised(anchor), layout.realised(reference), o)
        return value, slope, -slope, active
    value, *slopes = over_vocabulary(layout.log_p[anchor], layout.log_p[reference], o["estimator"])
    value, active = clamped(value, o["clamp_result"])
    slopes = [np.where(active[:, None], 0, slope) / o["temperature"] for slope in slopes]
    return value, *slopes, active


def dependency(layout, o):
    """D(old or original ‖ removing) of each token."""
    return distance(layout, "old" if layout.given("old") else "original", "removing", o)[0]
