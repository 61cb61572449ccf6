"""Advantages of groups of rewards, whatever the order of the batch."""

import math

import numpy as np


def deviations(own):
    """(deviations from the mean in units of 2^exponent, exponent); residues of rounding are 0. Sums are exact (fsum)."""
    exponent = math.frexp(float(np.abs(own).max()))[1]
    scaled = [math.ldexp(float(r), -exponent) for r in own]
    n, residue = len(scaled), 4 * math.ulp(max(map(abs, scaled)))
    negative = [-r for r in scaled]
    found = np.array([math.fsum([r] * n + negative) / n for r in scaled])
    return np.where(np.abs(found) > residue, found, 0), exponent


def members_of(groups):
    return [np.array([i for i, g in enumerate(groups) if g == group]) for group in set(groups)]


def groups_without_spread(rewards, groups):
    rewards = np.asarray(rewards, np.float64)
    return sum(not deviations(rewards[members])[0].any() for members in members_of(groups))


def advantages(rewards, groups, estimator="grpo", std_epsilon=1e-6):
    rewards = np.asarray(rewards, np.float64)
    out = np.zeros(len(rewards))
    for members in members_of(groups):
        n = len(members)
        apart, exponent = deviations(rewards[members])
        if not apart.any():
            continue
        if estimator == "grpo":
            spread = math.sqrt((apart**2).sum() / (n - 1))
            out[members] = apart / (spread + math.ldexp(std_epsilon, -exponent))
        else:
            out[members] = np.ldexp(apart * (n / (n - 1) if estimator == "rloo" else 1), exponent)
    return out
