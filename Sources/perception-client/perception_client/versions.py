"""Checks that this client understands the server."""

from __future__ import annotations

from .errors import IncompatibleVersion

VERSION = "0.2.0"


def check(server: str, client: str = VERSION) -> None:
    """Raise IncompatibleVersion unless the major versions, and below 1.0 also the minor versions, are equal."""

    def numbers(text: str) -> list[int]:
        return [int(part) for part in text.partition("-")[0].split(".")[:2]]

    try:
        (server_major, server_minor), (major, minor) = numbers(server), numbers(client)
        fits = server_major == major and (major > 0 or server_minor == minor)
    except ValueError:
        fits = False
    if not fits:
        raise IncompatibleVersion(
            f"the server is version {server!r} and this client {client}: they do not understand each other. "
            "Install the client that the server hands out; GET /client/ lists it"
        )
