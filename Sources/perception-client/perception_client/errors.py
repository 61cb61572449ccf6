"""Exceptions that print the server's own words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


class PerceptionError(Exception):
    """The base class of errors in calls to the server."""


class IncompatibleVersion(PerceptionError):
    """The server's version is one that this client does not understand."""


class Unreachable(PerceptionError):
    """No server answered before the deadline.

    `attempts` is the number of tries; the last failure is the exception's `__cause__`.
    """

    def __init__(self, message: str, attempts: int) -> None:
        super().__init__(message)
        self.attempts = attempts


class BrokenReply(PerceptionError):
    """An answer that breaks the contract: it is cut off, or comes from something other than a Perception Server."""


class OtherRankFailed(PerceptionError):
    """Another rank's call failed in a way that is not skipped, so this rank stops as well."""


class ServerError(PerceptionError):
    """The server answered with a problem.

    Attributes:
        type: the stable word, such as `invalid-shape`.
        detail: the first reason, with field, index, what was expected and what was found.
        errors: every reason found, each a mapping with `reason` and perhaps `field`, `index`, `byte`.
        status: the HTTP status.
        request_id: identifies the request in the server's log; None if the server gave none.
        limit: the limit that was exceeded, or None.
        retry_after: seconds that the server asked to wait, or None.
    """

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after: float | None = None) -> None:
        self.status = status
        self.type = str(problem.get("type", "unknown"))
        self.title = str(problem.get("title", ""))
        self.detail = str(problem.get("detail", self.title))
        self.errors: list[dict[str, Any]] = [dict(e) for e in problem.get("errors", [])]
        self.request_id: str | None = problem.get("request_id")
        self.limit: int | None = problem.get("limit")
        self.retry_after = retry_after
        super().__init__(status, problem, retry_after)

    def __str__(self) -> str:
        """Return status, type, detail, the further reasons, and the request's id."""
        lines = [f"{self.status} {self.type}: {self.detail}"]
        lines += [f"  also: {described(error)}" for error in self.errors[1:]]
        if self.request_id:
            lines.append(f"  request {self.request_id}")
        return "\n".join(lines)


class InvalidRequest(ServerError):
    """A 4xx: the request is wrong and will fail again."""


class Unauthorized(InvalidRequest):
    """A 401: the token is missing or wrong."""


class Overloaded(ServerError):
    """A 503 or 408 until the deadline: the server is busy or draining, or received the body too slowly."""


class DeadlineExceeded(ServerError):
    """A 504: the work took longer than this client or the server allows."""


class OutOfMemory(ServerError):
    """A 507: this request alone needs more memory than the server may use. Split it."""


_BY_STATUS: dict[int, type[ServerError]] = {
    401: Unauthorized,
    408: Overloaded,
    503: Overloaded,
    504: DeadlineExceeded,
    507: OutOfMemory,
}


def described(error: Mapping[str, Any]) -> str:
    """Return one reason as text: `field[index]: reason; expected …; found …`."""
    where = str(error.get("field", ""))
    if "index" in error:
        where += str(error["index"])
    if "byte" in error:
        where += f" (byte {error['byte']})"
    text = f"{where}: {error['reason']}" if where else str(error["reason"])
    for word in ("expected", "found"):
        if word in error:
            text += f"; {word} {error[word]}"
    return text


def problem(status: int, content_type: str, body: bytes, retry_after: float | None = None) -> ServerError:
    """Make the exception for an answer. A body that is not a problem document is quoted."""
    document: dict[str, Any] | None = None
    if "json" in content_type:
        try:
            parsed = json.loads(body)
            document = parsed if isinstance(parsed, dict) else None
        except ValueError:
            document = None
    if document is None:
        quoted = body[:300].decode("utf-8", "replace").strip() or "(empty)"
        document = {"type": "not-a-problem", "detail": f"an answer without a problem document: {quoted}"}
    kind = _BY_STATUS.get(status) or (InvalidRequest if 400 <= status < 500 else ServerError)
    return kind(status, document, retry_after)
