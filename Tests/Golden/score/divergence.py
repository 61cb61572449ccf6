"""How far two views are apart at a token: of the realised token, or over the vocabulary."""

import math

import torch


def outside(x, limit):
    return torch.zeros_like(x, dtype=torch.bool) if limit is None else x.abs() > limit


def clamp(x, limit):
    """Gradient 1 inside and on the limit, 0 beyond. torch.clamp itself changed sides on the limit between releases."""
    return x if limit is None else torch.where(outside(x, limit), limit * torch.sign(x.detach()), x)


def sampled_divergence(log_p, reference, o):
    """D of the realised token and whether a clamp was active."""
    active = outside(log_p - reference, o["clamp_input"])
    d = clamp(log_p - reference, o["clamp_input"])
    if o["estimator"] == "k1":
        value = d
    elif o["estimator"] == "abs":
        value = d.abs()
    elif o["estimator"] == "k2":
        value = d * d / 2
    elif o["estimator"] == "k3":
        value = torch.exp(-d) + d - 1
    elif o["estimator"] == "symmetric":
        value = torch.cosh(d) - 1
    return clamp(value, o["clamp_result"]), active | outside(value, o["clamp_result"])


def kl(log_p, log_q):
    """Σ p (log p − log q) over V; entries with p = 0 contribute nothing, to value and gradient."""
    live = ~log_p.isneginf()
    zero = torch.zeros_like(log_p)
    lp, lq = torch.where(live, log_p, zero), torch.where(live, log_q, zero)
    return torch.where(live, lp.exp() * (lp - lq), zero).sum(-1)


def jensen_shannon(log_a, log_r):
    zero = torch.zeros_like(log_a)
    live = ~(log_a.isneginf() & log_r.isneginf())
    finite_a = torch.where(live, log_a, zero)
    finite_r = torch.where(live, log_r, zero)
    log_m = torch.where(live, torch.logaddexp(finite_a, finite_r) - math.log(2), zero)
    return (kl(log_a, log_m) + kl(log_r, log_m)) / 2


def divergence(log_a, log_r, o):
    """D over the vocabulary and whether the clamp of its value was active."""
    if o["estimator"] == "full_kl":
        value = kl(log_a, log_r)
    elif o["estimator"] == "jsd":
        value = jensen_shannon(log_a, log_r)
    elif o["estimator"] == "jeffreys":
        value = (kl(log_a, log_r) + kl(log_r, log_a)) / 2
    value = value + (value.clamp(min=0) - value).detach()
    return clamp(value, o["clamp_result"]), outside(value, o["clamp_result"])
