"""The servers' addresses, and what all requests have in common."""

from __future__ import annotations

import os
import ssl
from collections.abc import Sequence
from typing import Any

from .addresses import Address, resolve
from .calls import Call
from .errors import Overloaded, PerceptionError, Unreachable
from .retrying import Attempts
from .runs import normalised

# Waiting makes none of these better.
HOPELESS = (ssl.SSLCertVerificationError, PermissionError, IsADirectoryError, NotADirectoryError)


class Settings:
    """The servers' addresses, and what all requests have in common; used by both transports.

    Args:
        url: one address, several (if one fails, the next is tried), or None for PERCEPTION_URL.
        token: the bearer token, None for PERCEPTION_TOKEN, "" for none.
        run: the training run's name, any text.
        deadline: seconds after which a call gives up, including retries.
        timeout: seconds without a byte after which one attempt gives up.
        authority: for https, a PEM file of certificates to trust, or an SSLContext.
    """

    def __init__(
        self,
        url: str | Sequence[str] | None = None,
        token: str | None = None,
        run: str | None = None,
        deadline: float = 120.0,
        timeout: float = 60.0,
        authority: str | os.PathLike[str] | ssl.SSLContext | None = None,
    ) -> None:
        if deadline <= 0 or timeout <= 0:
            raise ValueError("deadline and timeout are seconds above 0")
        self.addresses: tuple[Address, ...] = resolve(url)
        self.token = (token if token is not None else os.environ.get("PERCEPTION_TOKEN")) or None
        if (self.token and not self.token.isascii()) or (self.token and any(c.isspace() for c in self.token)):
            raise ValueError("a token holds no blanks, line ends or letters beyond ASCII")
        self.run = normalised(run) if run else None
        self.deadline = float(deadline)
        self.timeout = float(timeout)
        self.authority = authority

    def headers(self, call: Call[Any], remaining: float) -> dict[str, str]:
        """Return the headers of an attempt; `remaining` is how many seconds this client will wait."""
        fields = {"Accept": "*/*", "User-Agent": "perception-client"} | call.headers
        fields["X-Request-Timeout"] = f"{min(max(remaining, 0.001), 1e8):.3f}"
        if call.method == "POST":
            fields["Content-Length"] = str(call.length)
        if self.token:
            fields["Authorization"] = f"Bearer {self.token}"
        if self.run:
            fields["Perception-Run"] = self.run
        return fields

    def is_hopeless(self, failure: Exception) -> bool:
        """Whether a retry cannot succeed."""
        cause: BaseException | None = failure
        while cause is not None:
            if isinstance(cause, HOPELESS):
                return True
            cause = cause.__cause__ or cause.__context__
        return False

    def patience(self, remaining: float) -> float:
        """Seconds without a byte after which an attempt is abandoned."""
        return max(0.01, min(self.timeout, remaining))

    def gave_up(self, attempts: Attempts, failure: Exception) -> PerceptionError:
        """Make the exception for a call that reached its deadline."""
        if isinstance(failure, Overloaded):
            return failure
        where = ", ".join(map(str, self.addresses))
        said = str(failure) or type(failure).__name__
        if isinstance(failure, TimeoutError):
            said += f" (no byte for {self.timeout:g} s; timeout= allows more)"
        tries = f"{attempts.made} {'try' if attempts.made == 1 else 'tries'}"
        spent = self.deadline - max(0.0, attempts.remaining())
        error = Unreachable(f"{where}: no answer after {tries} in {spent:.1f} s: {said}", attempts.made)
        error.__cause__ = failure
        return error
