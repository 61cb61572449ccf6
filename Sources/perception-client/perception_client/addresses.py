"""Where a server is: http://, https:// and unix: addresses."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

DEFAULT_URL = "http://127.0.0.1:8080"


@dataclass(frozen=True)
class Address:
    """One server. `socket` is the path of a Unix socket, or None for TCP; `prefix` goes before every path."""

    host: str
    port: int
    tls: bool = False
    socket: str | None = None
    prefix: str = ""

    @property
    def authority(self) -> str:
        """The value of the header `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.socket or self.port == (443 if self.tls else 80) else f"{host}:{self.port}"

    def __str__(self) -> str:
        if self.socket:
            return f"unix:{self.socket}"
        return f"{'https' if self.tls else 'http'}://{self.authority}{self.prefix}"


def parse(url: str) -> Address:
    """Parse one address. Raises ValueError, which lists the valid forms."""
    if url.startswith("unix:"):
        path = url.removeprefix("unix://") if url.startswith("unix://") else url.removeprefix("unix:")
        if not path:
            raise ValueError("unix: needs a path, such as unix:/run/perception.sock")
        return Address("localhost", 80, socket=path)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no address; expected http://HOST:PORT, https://HOST:PORT or unix:/PATH")
    if parts.username is not None:
        raise ValueError("an address holds no user or password: give the token as token=")
    if parts.query or parts.fragment:
        raise ValueError(f"{url!r}: an address has no query and no fragment")
    tls = parts.scheme == "https"
    return Address(parts.hostname, parts.port or (443 if tls else 80), tls, None, parts.path.rstrip("/"))


def resolve(url: str | Sequence[str] | None) -> tuple[Address, ...]:
    """Return the addresses of an argument; if it is None, those of PERCEPTION_URL (comma-separated) or the default."""
    given = url if url is not None else os.environ.get("PERCEPTION_URL") or DEFAULT_URL
    texts = given.split(",") if isinstance(given, str) else list(given)
    addresses = tuple(parse(text.strip()) for text in texts if text.strip())
    if not addresses:
        raise ValueError("at least one address is needed")
    return addresses
