"""When to try again, and how long to wait. Time is seconds on the monotonic clock."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 8.0


@dataclass
class Attempts:
    """The tries of one call: they end when `deadline` seconds are over.

    A pause grows twofold from a tenth of a second to eight, less up to half of it at random, so that ranks that
    failed together do not come back together. What the server asks for in `Retry-After` is a floor below it.
    """

    deadline: float
    started: float = field(default_factory=time.monotonic)
    made: int = 0
    pauses: int = 0

    def remaining(self) -> float:
        """Seconds until the deadline; 0 or less when it is over."""
        return self.started + self.deadline - time.monotonic()

    def pause(self, retry_after: float | None = None) -> float | None:
        """Seconds to wait before the next try, or None when no further try fits before the deadline."""
        growing = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self.pauses, 30))
        self.pauses += 1
        floor = retry_after or 0.0
        # The last try must have time for an answer: its failure is what the caller reads.
        latest = self.remaining() - min(1.0, self.deadline / 10)
        if latest <= floor:
            return None
        return min(floor + growing * random.uniform(0.5, 1.0), latest)


def retry_after(value: str | None) -> float | None:
    """The header's seconds. A date, which this server never sends, counts as none."""
    try:
        return max(0.0, float(value)) if value else None
    except ValueError:
        return None
