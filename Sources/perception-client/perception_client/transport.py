"""Sends calls over kept connections, and tries again until a deadline."""

from __future__ import annotations

import http.client
import os
import ssl
import time
from collections.abc import Sequence
from typing import Any

from . import connections
from .addresses import Address, resolve
from .calls import Answer, Call
from .errors import Overloaded, PerceptionError, Unreachable, problem
from .retrying import Attempts, retry_after
from .runs import normalised

# Bodies up to this are joined, so that one packet may hold all of them.
SMALL = 1 << 16
# Seconds that a refusal is waited for after the server stopped reading a body.
PARTING_WORDS = 2.0
HOPELESS = (ssl.SSLCertVerificationError, PermissionError, IsADirectoryError, NotADirectoryError)
Failures = (OSError, http.client.HTTPException)


class Settings:
    """Where the servers are and what every request says, shared by the synchronous and the asynchronous transport.

    Args:
        url: one address, several (the next one is tried when one fails), or None for PERCEPTION_URL.
        token: the bearer token, or None for PERCEPTION_TOKEN.
        run: the training run's name, any text.
        deadline: seconds after which a call gives up, all tries together.
        timeout: seconds without a byte after which one try gives up.
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
        self.token = token if token is not None else os.environ.get("PERCEPTION_TOKEN") or None
        if (self.token and not self.token.isascii()) or (self.token and any(c.isspace() for c in self.token)):
            raise ValueError("a token holds no blanks, line ends or letters beyond ASCII")
        self.run = normalised(run) if run else None
        self.deadline = float(deadline)
        self.timeout = float(timeout)
        self.authority = authority

    def headers(self, call: Call[Any], remaining: float) -> dict[str, str]:
        """Return what a try says; `remaining` is the seconds this client will wait."""
        fields = {"Accept": "*/*", "User-Agent": "perception-client"} | call.headers
        fields["X-Request-Timeout"] = f"{min(max(remaining, 0.001), 1e8):.3f}"
        if call.method == "POST":
            fields["Content-Length"] = str(call.length)
        if self.token:
            fields["Authorization"] = f"Bearer {self.token}"
        if self.run:
            fields["Perception-Run"] = self.run
        return fields

    def gave_up(self, attempts: Attempts, failure: Exception) -> PerceptionError:
        """Make the exception of a call whose deadline is over."""
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


class Transport:
    """Sends one call at a time on each thread; threads and forked processes may share it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._tls = connections.tls_context(settings.authority)
        self._kept = connections.Kept()

    def __getstate__(self) -> dict[str, Any]:
        return {"settings": self.settings}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["settings"])  # type: ignore[misc]

    def close(self) -> None:
        """Close this thread's connections."""
        self._kept.refresh()
        self._kept.close()

    def send(self, call: Call[Any]) -> Answer:
        """Send a call and return its 2xx answer.

        Raises:
            ServerError: the server refused it, or was overloaded until the deadline.
            Unreachable: nobody answered until the deadline.
        """
        settings, kept = self.settings, self._kept
        kept.refresh()
        attempts = Attempts(settings.deadline)
        while True:
            floor = 0.0
            for offset in range(len(settings.addresses)):
                number = (kept.preferred + offset) % len(settings.addresses)
                attempts.made += 1
                try:
                    answer = self._try(number, call, attempts)
                except Overloaded as error:
                    failure: Exception = error
                    floor = max(floor, error.retry_after or 0.0)
                except HOPELESS as error:
                    raise settings.gave_up(attempts, error) from error
                except Failures as error:
                    failure = error
                else:
                    kept.preferred = number
                    return answer
                if attempts.remaining() <= 0:
                    break
            pause = attempts.pause(floor)
            if pause is None:
                raise settings.gave_up(attempts, failure)
            time.sleep(pause)

    def _try(self, number: int, call: Call[Any], attempts: Attempts) -> Answer:
        connection = self._kept.connections.get(number)
        if connection is not None and connection.sock is not None:
            try:
                return self._once(connection, number, call, attempts.remaining())
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                # The server closed a connection that was idle. That is no failure of its own.
                pass
        connection = connections.opened(
            self.settings.addresses[number], self._patience(attempts.remaining()), self._tls
        )
        self._kept.connections[number] = connection
        return self._once(connection, number, call, attempts.remaining())

    def _patience(self, remaining: float) -> float:
        return max(0.01, min(self.settings.timeout, remaining))

    def _once(
        self, connection: http.client.HTTPConnection, number: int, call: Call[Any], remaining: float
    ) -> Answer:
        address = self.settings.addresses[number]
        started = time.monotonic()
        if connection.sock is not None:
            connection.sock.settimeout(self._patience(remaining))
        try:
            connection.putrequest(call.method, address.prefix + call.path, True, True)
            connection.putheader("Host", address.authority)
            for name, value in self.settings.headers(call, remaining).items():
                connection.putheader(name, value)
            response = self._posted(connection, call)
            body = _read(response)
        except BaseException:
            self._kept.drop(number)
            raise
        if response.will_close:
            self._kept.drop(number)
        if response.status >= 300:
            content = response.headers.get("Content-Type", "")
            wait = retry_after(response.headers.get("Retry-After"))
            raise problem(response.status, content, bytes(body), wait)
        return Answer(response.status, response.headers, body, time.monotonic() - started)

    def _posted(self, connection: http.client.HTTPConnection, call: Call[Any]) -> http.client.HTTPResponse:
        try:
            if call.length <= SMALL:
                connection.endheaders(b"".join(call.pieces) or None)
            else:
                connection.endheaders()
                for piece in call.pieces:
                    connection.send(piece)
        except (BrokenPipeError, ConnectionResetError):
            # A server that refuses a body early answers and stops reading: its reason is worth more than the
            # broken pipe. Where it said nothing, this raises the connection's own error.
            if connection.sock is not None:
                connection.sock.settimeout(PARTING_WORDS)
            return connection.getresponse()
        return connection.getresponse()


def _read(response: http.client.HTTPResponse) -> bytearray | bytes:
    if response.length is None:
        return response.read()
    body = bytearray(response.length)
    view = memoryview(body)
    while view:
        count = response.readinto(view)
        if not count:
            raise http.client.IncompleteRead(bytes(body[: len(body) - len(view)]), len(view))
        view = view[count:]
    return body
