"""Decides when to retry and how long to wait. Times are in seconds on the monotonic clock."""

from __future__ import annotations

import random
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .errors import Overloaded, ServerError

if TYPE_CHECKING:
    from .calls import Answer
    from .settings import Settings

FIRST_PAUSE = 0.1
# Of a server that is away, whose return is worth finding out; and of one that is busy, whom asking costs.
LONGEST_PAUSE = 2.0
LONGEST_PAUSE_BUSY = 8.0


@dataclass
class Attempts:
    """The attempts of one call, which end after `deadline` seconds.

    Pauses double from a tenth of a second. Each is shortened at random by up to half, so that ranks that failed
    together do not retry together. It is never shorter than the server's `Retry-After`.
    """

    deadline: float
    started: float = field(default_factory=time.monotonic)
    made: int = 0
    pauses: int = 0

    def remaining(self) -> float:
        """Seconds until the deadline; 0 or less after it."""
        return self.started + self.deadline - time.monotonic()

    def pause(self, retry_after: float = 0.0, busy: bool = False) -> float | None:
        """Seconds to wait before the next attempt, or None if none fits before the deadline."""
        longest = LONGEST_PAUSE_BUSY if busy else LONGEST_PAUSE
        growing = min(longest, FIRST_PAUSE * 2.0 ** min(self.pauses, 30))
        self.pauses += 1
        floor = retry_after
        # The last try must have time for an answer: its failure is what the caller reads.
        latest = self.remaining() - min(1.0, self.deadline / 10)
        if latest <= floor:
            return None
        return min(floor + growing * random.uniform(0.5, 1.0), latest)


def retry_after(value: str | None) -> float | None:
    """Return the header's seconds. A date, which this server never sends, is ignored."""
    try:
        return max(0.0, float(value)) if value else None
    except ValueError:
        return None


@dataclass(frozen=True)
class Try:
    """Send the call to server `number`; `remaining` seconds are left."""

    number: int
    remaining: float


@dataclass(frozen=True)
class Pause:
    """Wait for that many seconds."""

    seconds: float


def conversation(
    settings: Settings, preferred: int
) -> Generator[Try | Pause, Answer | Exception | None, tuple[int, Answer]]:
    """Decide what one call does next; how it is sent does not matter here.

    Yields tries and pauses; is sent the answer or the exception of each try, and returns (the server's number, its
    answer). A server's refusal is raised; so is the failure that was the last one before the deadline.
    """
    attempts = Attempts(settings.deadline)
    count = len(settings.addresses)
    while True:
        floor = 0.0
        failure: Exception | None = None
        for offset in range(count):
            number = (preferred + offset) % count
            attempts.made += 1
            outcome = yield Try(number, attempts.remaining())
            if isinstance(outcome, Overloaded):
                floor = max(floor, outcome.retry_after or 0.0)
            elif isinstance(outcome, ServerError):
                raise outcome
            elif outcome is not None and not isinstance(outcome, Exception):
                return number, outcome
            assert isinstance(outcome, Exception)
            failure = outcome
            if settings.is_hopeless(failure):
                raise settings.gave_up(attempts, failure)
            if attempts.remaining() <= 0:
                break
        pause = attempts.pause(floor, isinstance(failure, Overloaded))
        assert failure is not None
        if pause is None:
            raise settings.gave_up(attempts, failure)
        yield Pause(pause)
