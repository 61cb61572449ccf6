"""Means with 95 % intervals over seeds, by Student's t. Seeds are few, so intervals are wide."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

# Two-sided 95 % points of Student's t by degrees of freedom.
T95 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}


@dataclass(frozen=True)
class Interval:
    """A mean and the half width of its interval."""

    mean: float
    half: float

    def percent(self, sign: bool = False) -> str:
        """Write it in percent."""
        mean = f"{100 * self.mean:{'+' if sign else ''}.1f}"
        return mean if math.isnan(self.half) else f"{mean} ± {100 * self.half:.1f}"

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval is on one side of 0."""
        return abs(self.mean) > self.half


def interval(values: Sequence[float]) -> Interval:
    """Return the mean of one value for each seed, with its interval; without one for a single seed."""
    if len(values) < 2:
        return Interval(statistics.fmean(values), math.nan)
    return Interval(statistics.fmean(values), T95[len(values) - 1] * statistics.stdev(values) / math.sqrt(len(values)))
