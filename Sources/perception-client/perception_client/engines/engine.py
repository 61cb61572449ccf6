"""The interface to inference engines: the log-probabilities of a given response under a picture."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..addresses import parse
from ..connections import opened
from ..errors import PerceptionError


class EngineError(PerceptionError):
    """The engine refused the request, or its answer has none of the documented forms."""


@dataclass(frozen=True)
class Spoken:
    """An engine's reply for one picture.

    Attributes:
        reply: the JSON as it came.
        token_ids: the response's tokens, if the engine reports them.
        texts: the text of each of the response's tokens, if the engine reports it.
        length: the number of the response's tokens.
    """

    reply: dict[str, Any]
    length: int
    token_ids: list[int] | None = None
    texts: list[str] | None = None


class Engine(Protocol):
    """A server that scores a response."""

    def speak(self, image: bytes, question: str, response: str) -> Spoken:
        """Ask for the log-probabilities of `response` after `image` (a PNG or JPEG file) and `question`."""
        ...


class Server:
    """An engine's HTTP server.

    Args:
        url: `http://HOST:PORT`.
        key: the API key, sent as a bearer token.
        timeout: seconds without a byte.
    """

    def __init__(self, url: str, key: str | None = None, timeout: float = 300.0) -> None:
        self._address = parse(url)
        self._key = key
        self._timeout = timeout

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Post JSON and return JSON. Raises EngineError with the engine's message."""
        connection = opened(self._address, self._timeout, None)
        headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {self._key}"} if self._key else {}
        )
        try:
            connection.request("POST", self._address.prefix + path, json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException, ssl.SSLError) as error:
            raise EngineError(f"{self._address}{path}: {error or type(error).__name__}") from error
        finally:
            connection.close()
        if response.status != 200:
            said = text[:500].decode("utf-8", "replace")
            raise EngineError(f"{self._address}{path}: {response.status}: {said}")
        try:
            parsed = json.loads(text)
        except ValueError as error:
            raise EngineError(f"{self._address}{path}: the answer is no JSON: {error}") from error
        if not isinstance(parsed, dict):
            raise EngineError(f"{self._address}{path}: the answer is no JSON object")
        return parsed


def data_uri(image: bytes) -> str:
    """Return an image file as a data URI."""
    kind = "jpeg" if image[:2] == b"\xff\xd8" else "png"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"
