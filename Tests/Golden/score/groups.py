"""Advantages of groups of rewards, in exact rational arithmetic where the order of a batch must not matter."""

import math
from fractions import Fraction

import torch


def group_deviations(rewards, groups):
    """{group: (members, exact deviations from the mean)}; one within 4 units in the last place of the largest reward is 0."""
    found = {}
    for group in sorted(set(groups)):
        members = [i for i, g in enumerate(groups) if g == group]
        own = [Fraction(float(rewards[i])) for i in members]
        mean = sum(own) / len(own)
        residue = 4 * Fraction(math.ulp(max(abs(float(r)) for r in own)))
        found[group] = members, [d if abs(d) > residue else Fraction(0) for d in (r - mean for r in own)]
    return found


def groups_without_spread(rewards, groups):
    return sum(not any(deviations) for _, deviations in group_deviations(rewards, groups).values())


def group_advantages(rewards, groups, method, epsilon=1e-6):
    """grpo (r − mean)/(s + ε), s with n − 1; dr_grpo r − mean; rloo r − mean of the others. No spread: 0."""
    result = torch.zeros(len(groups), dtype=torch.float64)
    for members, deviations in group_deviations(rewards, groups).values():
        if not any(deviations):
            continue
        n, largest = len(members), max(abs(d) for d in deviations)
        variance = sum((d / largest) ** 2 for d in deviations) / (n - 1)
        deviation = math.sqrt(float(variance)) * float(largest)
        for i, d in zip(members, deviations):
            if method == "grpo":
                result[i] = float(d) / (deviation + epsilon)
            else:
                result[i] = float(d * Fraction(n, n - 1)) if method == "rloo" else float(d)
    return result
