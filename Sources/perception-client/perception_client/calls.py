"""A call without its transport: a request, and the function that reads the answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode

from .errors import BrokenReply
from .safetensors_file import Buffer, Stored, decode

Result = TypeVar("Result")


@dataclass(frozen=True)
class Answer:
    """A reply with a 2xx status. Header names are looked up in any case."""

    status: int
    headers: Mapping[str, str] | Message
    body: Buffer
    seconds: float = 0.0

    @property
    def content_type(self) -> str:
        """The media type without parameters."""
        return (self.headers.get("Content-Type") or "").partition(";")[0].strip().lower()

    @property
    def request_id(self) -> str | None:
        """The request's id in the server's log."""
        return self.headers.get("X-Request-ID")

    @property
    def server_ms(self) -> float | None:
        """Milliseconds that the server spent, from `Server-Timing`; None if the header is absent."""
        timing = self.headers.get("Server-Timing")
        if not timing:
            return None
        return sum(float(d.partition(";")[0]) for p in timing.split(",") for d in p.split("dur=")[1:])

    def json(self) -> Any:
        """Parse the body as JSON. Raises BrokenReply if it is not JSON."""
        try:
            return json.loads(bytes(self.body))
        except ValueError as error:
            raise BrokenReply(f"the answer is no JSON: {error}") from error

    def tensors(self) -> tuple[dict[str, Stored], dict[str, Any]]:
        """Return (tensors, scalars) of a safetensors answer."""
        tensors, metadata = decode(self.body)
        try:
            return tensors, json.loads(metadata.get("result", "{}"))
        except ValueError as error:
            raise BrokenReply(f"the answer's result is no JSON: {error}") from error


@dataclass(frozen=True)
class Call(Generic[Result]):
    """A request and the function that reads its answer. Sending it twice has the effect of sending it once.

    `pieces` are the body, sent one after another without being joined. `path` has its query.
    """

    method: str
    path: str
    read: Callable[[Answer], Result]
    headers: dict[str, str] = field(default_factory=dict)
    pieces: tuple[Buffer, ...] = ()

    @property
    def length(self) -> int:
        """Bytes of the body."""
        return sum(len(piece) for piece in self.pieces)


def target(path: str, query: Mapping[str, str] | None = None) -> str:
    """Return a path with its query, both escaped."""
    text = quote(path, safe="/")
    return f"{text}?{urlencode(query, quote_via=quote)}" if query else text
