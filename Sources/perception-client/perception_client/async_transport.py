"""Sends calls from coroutines, with httpx."""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import AsyncIterator
from typing import Any

import httpx

from . import connections
from .calls import Answer, Call
from .errors import Overloaded, problem
from .retrying import Try, conversation, retry_after
from .settings import Settings
from .transport import SMALL


class AsyncTransport:
    """Keeps connections for each event loop. A forked process does not use its parent's."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._tls = connections.tls_context(settings.authority)
        self._clients: weakref.WeakKeyDictionary[Any, tuple[int, list[httpx.AsyncClient]]] = (
            weakref.WeakKeyDictionary()
        )
        self._preferred = 0

    def __getstate__(self) -> dict[str, Any]:
        return {"settings": self.settings}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["settings"])  # type: ignore[misc]

    async def close(self) -> None:
        """Close this event loop's connections."""
        process, clients = self._clients.pop(asyncio.get_running_loop(), (0, []))
        if process == os.getpid():
            for client in clients:
                await client.aclose()

    async def send(self, call: Call[Any]) -> Answer:
        """Send a call and return its 2xx answer; raises as `Transport.send` does."""
        talk = conversation(self.settings, self._preferred)
        step = next(talk)
        while True:
            outcome: Answer | Exception | None = None
            if isinstance(step, Try):
                try:
                    outcome = await self._try(step, call)
                except (httpx.HTTPError, OSError, Overloaded) as failure:
                    outcome = failure
            else:
                await asyncio.sleep(step.seconds)
            try:
                step = talk.send(outcome)
            except StopIteration as end:
                self._preferred, answer = end.value
                return answer  # type: ignore[no-any-return]

    def _client(self, number: int) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        process, clients = self._clients.get(loop, (0, []))
        if process != os.getpid():
            clients = [self._opened(n) for n in range(len(self.settings.addresses))]
            self._clients[loop] = os.getpid(), clients
        return clients[number]

    def _opened(self, number: int) -> httpx.AsyncClient:
        address = self.settings.addresses[number]
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
        verify: Any = self._tls or True
        transport = httpx.AsyncHTTPTransport(uds=address.socket, verify=verify, limits=limits)
        base = f"{'https' if address.tls else 'http'}://{address.authority}{address.prefix}"
        # The environment's proxies are for the internet; trainers' servers are near.
        return httpx.AsyncClient(transport=transport, base_url=base, trust_env=False)

    async def _try(self, step: Try, call: Call[Any]) -> Answer:
        client = self._client(step.number)
        content: Any = b"".join(call.pieces) if call.length <= SMALL else _pieces(call)
        request = client.build_request(
            call.method,
            call.path,
            content=content if call.method == "POST" else None,
            headers=self.settings.headers(call, step.remaining),
            timeout=self.settings.patience(step.remaining),
        )
        response = await client.send(request)
        if response.status_code >= 300:
            wait = retry_after(response.headers.get("Retry-After"))
            kind = response.headers.get("Content-Type", "")
            raise problem(response.status_code, kind, response.content, wait)
        # Writable, as the synchronous transport's: arrays are views of it.
        return Answer(response.status_code, response.headers, bytearray(response.content))


async def _pieces(call: Call[Any]) -> AsyncIterator[bytes]:
    for piece in call.pieces:
        view = memoryview(piece)
        for start in range(0, len(view), 1 << 20):
            yield bytes(view[start : start + (1 << 20)])
