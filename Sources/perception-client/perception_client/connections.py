"""One kept HTTP connection for each thread and server, over TCP, TLS or a Unix socket."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import threading
from typing import Any

from .addresses import Address


class Connection(http.client.HTTPConnection):
    """HTTP over TCP that sends a head and a small body together: in one packet that wakes the server once."""

    _held: list[Any] | None = None

    def send(self, data: Any) -> None:
        """Send, or hold back while `send_together` collects."""
        if self._held is None:
            super().send(data)
        else:
            self._held.append(data)

    def send_together(self, body: bytes) -> None:
        """End the head and send it with the body."""
        self._held = []
        try:
            self.endheaders(body or None)
            pieces = b"".join(self._held)
        finally:
            self._held = None
        self.send(pieces)


class SecureConnection(http.client.HTTPSConnection, Connection):
    """The same over TLS."""


class UnixConnection(Connection):
    """The same over a Unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket's path."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(self.timeout)
        try:
            connection.connect(self._path)
        except BaseException:
            connection.close()
            raise
        self.sock = connection


class Kept(threading.local):
    """This thread's connections by the server's number, and the number of the server that answered last.

    A forked child starts with none, because two processes that read from one connection would mix up their answers.
    """

    def __init__(self) -> None:
        self.process = os.getpid()
        self.connections: dict[int, Connection] = {}
        self.preferred = 0

    def refresh(self) -> None:
        """Drop the connections of the parent process after a fork. Closing them here leaves the parent's open."""
        if self.process != os.getpid():
            self.process = os.getpid()
            old, self.connections = self.connections, {}
            for connection in old.values():
                connection.close()

    def drop(self, number: int) -> None:
        """Close a connection whose state is unknown."""
        connection = self.connections.pop(number, None)
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Close this thread's connections."""
        for number in list(self.connections):
            self.drop(number)


def opened(address: Address, timeout: float, tls: ssl.SSLContext | None) -> Connection:
    """Make a connection without connecting it. `timeout` is in seconds without progress."""
    if address.socket:
        return UnixConnection(address.socket, timeout)
    if address.tls:
        context = tls or ssl.create_default_context()
        return SecureConnection(address.host, address.port, timeout=timeout, context=context)
    return Connection(address.host, address.port, timeout=timeout)


def tls_context(authority: Any) -> ssl.SSLContext | None:
    """Make the TLS settings of an `authority` argument: a PEM file of certificates to trust, or a context."""
    if authority is None or isinstance(authority, ssl.SSLContext):
        return authority
    return ssl.create_default_context(cafile=os.fspath(authority))
