"""Sends calls over persistent connections, one at a time on each thread."""

from __future__ import annotations

import http.client
import time
from typing import Any

from . import connections, reply_memory
from .calls import Answer, Call
from .errors import Overloaded, problem
from .retrying import Try, conversation, retry_after
from .safetensors_file import Buffer
from .settings import Settings

# Bodies up to this are joined, so that one packet may hold all of them.
SMALL = 1 << 16
# Seconds that a refusal is waited for after the server stopped reading a body.
PARTING_WORDS = 2.0
Failures = (OSError, http.client.HTTPException, Overloaded)


class Transport:
    """Sends one call at a time on each thread. Threads and forked processes can share it."""

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
            ServerError: the server refused the call, or was overloaded until the deadline.
            Unreachable: no server answered before the deadline.
        """
        kept = self._kept
        kept.refresh()
        talk = conversation(self.settings, kept.preferred)
        step = next(talk)
        while True:
            outcome: Answer | Exception | None = None
            if isinstance(step, Try):
                try:
                    outcome = self._try(step, call)
                except Failures as failure:
                    outcome = failure
            else:
                time.sleep(step.seconds)
            try:
                step = talk.send(outcome)
            except StopIteration as end:
                kept.preferred, answer = end.value
                return answer  # type: ignore[no-any-return]

    def _try(self, step: Try, call: Call[Any]) -> Answer:
        connection = self._kept.connections.get(step.number)
        started = time.monotonic()
        if connection is not None and connection.sock is not None:
            try:
                return self._once(connection, step.number, call, step.remaining)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                # The server closed a connection that was idle. That is no failure of its own.
                pass
        remaining = step.remaining - (time.monotonic() - started)
        address = self.settings.addresses[step.number]
        connection = connections.opened(address, self.settings.patience(remaining), self._tls)
        self._kept.connections[step.number] = connection
        return self._once(connection, step.number, call, remaining)

    def _once(
        self, connection: connections.Connection, number: int, call: Call[Any], remaining: float
    ) -> Answer:
        address = self.settings.addresses[number]
        started = time.monotonic()
        if connection.sock is not None:
            connection.sock.settimeout(self.settings.patience(remaining))
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

    def _posted(self, connection: connections.Connection, call: Call[Any]) -> http.client.HTTPResponse:
        try:
            if call.length <= SMALL:
                connection.send_together(b"".join(call.pieces))
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


def _read(response: http.client.HTTPResponse) -> Buffer:
    if response.length is None:
        return response.read()
    body = reply_memory.room(response.length)
    view = body
    while view:
        count = response.readinto(view)
        if not count:
            raise http.client.IncompleteRead(b"", len(view))
        view = view[count:]
    return body
