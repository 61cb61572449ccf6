"""The asynchronous client: the same methods, awaited."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

from . import catalogue, losses, numbers, perturbing, sheets, versions, views
from .async_transport import AsyncTransport
from .autograd import Last, counting
from .calls import Call
from .errors import InvalidRequest, PerceptionError
from .pictures import Alpha
from .settings import Settings
from .transport import Transport
from .views import CPPO, Views

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def _sent(
    operation: Callable[Parameters, Call[Result]],
) -> Callable[Concatenate[AsyncPerception, Parameters], Awaitable[Result]]:
    """Make a coroutine method of an operation."""

    @functools.wraps(operation)
    async def method(self: AsyncPerception, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return await self.send(operation(*args, **kwargs))

    return method  # type: ignore[return-value]  # wraps() names its first argument self


class AsyncPerception(Last):
    """`Perception` for coroutines: every method is awaited. Arguments and results are the same.

    One object can serve several event loops, each with its own connections. `last` belongs to the thread.
    """

    def __init__(
        self,
        url: str | Sequence[str] | None = None,
        token: str | None = None,
        run: str | None = None,
        deadline: float = 120.0,
        *,
        timeout: float = 60.0,
        on_error: Literal["raise", "skip"] = "raise",
        group: Any = None,
        authority: str | os.PathLike[str] | ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(on_error, group)
        self.settings = Settings(url, token, run, deadline, timeout, authority)
        self._transport = AsyncTransport(self.settings)
        self._greeted = False
        self._takes_pixels = True

    score = _sent(numbers.score)
    mask = _sent(numbers.mask)
    entropy = _sent(numbers.entropy)
    advantages = _sent(numbers.advantages)
    perturb = _sent(perturbing.perturb)
    sheet = _sent(sheets.sheet)
    presets = _sent(catalogue.presets)
    recipes = _sent(catalogue.recipes)

    async def info(self) -> catalogue.Info:
        """Ask for the server's version, limits and formats. Raises IncompatibleVersion if this client cannot use it."""
        call = catalogue.info()
        info = call.read(await self._transport.send(call))
        versions.check(info.version)
        self._greeted = True
        return info

    async def send(self, call: Call[Result]) -> Result:
        """Send any call. Before the first one, the client asks for the server's version."""
        if not self._greeted:
            await self.info()
        return call.read(await self._transport.send(call))

    async def loss(self, log_probs: Mapping[str, Any] | None = None, **given: Any) -> Any:
        """Compute the perception loss as a torch scalar. Takes the arguments of `Perception.loss`."""
        return await self._evaluated("loss", log_probs, given)

    async def objective(self, log_probs: Mapping[str, Any] | None = None, **given: Any) -> Any:
        """Compute the whole objective as a torch scalar. Takes the arguments of `Perception.objective`."""
        return await self._evaluated("objective", log_probs, given)

    async def _evaluated(self, value: str, log_probs: Any, given: dict[str, Any]) -> Any:
        wanted = losses.wanted(self, value, losses.sorted_arguments({"log_probs": log_probs} | given))
        if losses.library(wanted) != "torch":
            raise TypeError("a coroutine cannot be part of a JAX function: use Perception")
        from . import torch_loss

        needed = torch_loss.needed(wanted)
        score, error = None, None
        try:
            asked = wanted.request(wanted.named, needed)
            score = wanted.accepted(await self.send(asked.call), needed)
            score = replace(score, complete=lambda: self._at_once(asked.whole()))
        except (PerceptionError, ValueError, TypeError, OSError) as caught:
            error = caught
        return torch_loss.scalar(wanted, wanted.decided(score, error, torch_loss.agreement(wanted)), needed)

    def _at_once(self, call: Call[Result]) -> Result:
        # The heat map asks for what was left out, and is no coroutine.
        with contextlib.closing(Transport(self.settings)) as transport:
            return call.read(transport.send(call))

    async def count(self, **given: Any) -> int:
        """Count the tokens that carry loss; see `Perception.count`."""
        return (await self.send(counting(given))).gated

    async def views(
        self,
        images: Sequence[Any],
        seed: int,
        recipes: Sequence[str | Mapping[str, Any]] | Mapping[str, str | Mapping[str, Any]] = CPPO,
        *,
        per_rollout: bool = False,
        alpha: Alpha = "white",
        processor: Any = None,
        **setting: Any,
    ) -> Views:
        """Make a view of each image under each recipe; see `Perception.views`."""
        job = views.prepare(
            images, seed, recipes, per_rollout=per_rollout, alpha=alpha, processor=processor, **setting
        )
        try:
            answers = await asyncio.gather(*map(self.send, job.calls(self._takes_pixels)))
        except InvalidRequest as error:
            if not views.refuses_pixels(error, self._takes_pixels):
                raise
            self._takes_pixels = False
            answers = await asyncio.gather(*map(self.send, job.calls(False)))
        return job.finish(answers)

    async def close(self) -> None:
        """Close this event loop's connections."""
        await self._transport.close()

    async def __aenter__(self) -> AsyncPerception:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncPerception({', '.join(map(str, self.settings.addresses))})"
