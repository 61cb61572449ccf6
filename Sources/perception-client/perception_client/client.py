"""The synchronous client."""

from __future__ import annotations

import functools
import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

from . import catalogue, numbers, perturbing, shared_files, sheets, versions, views, workers
from .autograd import Autograd
from .calls import Call
from .errors import InvalidRequest
from .local_server import LocalServer
from .pictures import Alpha
from .settings import Settings
from .transport import Transport
from .views import CPPO, Views

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def _sent(
    operation: Callable[Parameters, Call[Result]],
) -> Callable[Concatenate[Perception, Parameters], Result]:
    """Make a method of an operation: it sends the call and returns what it reads."""

    @functools.wraps(operation)
    def method(self: Perception, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return self.send(operation(*args, **kwargs))

    return method  # type: ignore[return-value]  # wraps() names its first argument self


class Perception(Autograd):
    """A client of one server, or of several that can stand in for each other.

    It connects at its first call. Threads, forked processes and spawned processes can share it.

    Args:
        url: `http://HOST:PORT`, `https://…`, `unix:/PATH`, or a list of them: if one fails, the client tries the next.
            Default: PERCEPTION_URL (comma-separated), or http://127.0.0.1:8080.
        token: the bearer token. Default: PERCEPTION_TOKEN.
        run: the training run's name in the server's metrics, any text.
        deadline: seconds for one call including retries. Keep it below the timeout of the trainer's collectives.
        timeout: seconds without a byte after which the client abandons one attempt.
        on_error: what `loss` and `objective` do when a call fails: `raise`, or `skip` for a zero loss with zero
            gradients, which is counted in `skipped` and logged. With torch.distributed all ranks of `group` skip
            together, so every rank must make the same calls.
        group: the process group that agrees on skipping. Default: the default group.
        authority: for https, a PEM file of certificates to trust, or an SSLContext.
        shared_dir: the folder of the server's `--shared-dir`, if the server runs on this machine. Large requests and
            their results go through it as files.
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
        shared_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        self.settings = Settings(url, token, run, deadline, timeout, authority)
        super().__init__(on_error, group)
        self.shared_dir = shared_dir
        self._transport = Transport(self.settings)
        self._server: LocalServer | None = None
        self._greeted = False
        self._takes_pixels = True

    @classmethod
    def local(
        cls,
        run: str | None = None,
        deadline: float = 120.0,
        *,
        timeout: float = 60.0,
        on_error: Literal["raise", "skip"] = "raise",
        group: Any = None,
        binary: str | None = None,
        **option: Any,
    ) -> Perception:
        """Start a private server on this machine, and return its client.

        The server ends with `close`, or with this process, even if that is killed. Forked workers can use the server.

        Args:
            run: as in the constructor.
            deadline: as in the constructor.
            timeout: as in the constructor.
            on_error: as in the constructor.
            group: as in the constructor.
            binary: the server's file. Default: PERCEPTION_SERVER_BINARY, the wheel `perception-server`, or the PATH.
            option: options of `perception-server serve`, with `_` for `-`, such as `threads=2`.
        """
        server = LocalServer(binary, **option)
        client = cls(server.url, "", run, deadline, timeout=timeout, on_error=on_error, group=group)
        client._server = server
        if option.get("shared_dir"):
            client.shared_dir = option["shared_dir"]
        return client

    score = _sent(numbers.score)
    mask = _sent(numbers.mask)
    entropy = _sent(numbers.entropy)
    advantages = _sent(numbers.advantages)
    perturb = _sent(perturbing.perturb)
    sheet = _sent(sheets.sheet)
    presets = _sent(catalogue.presets)
    recipes = _sent(catalogue.recipes)

    def views(
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
        """Make a view of each image under each recipe. A view has its image's type and size.

        Equal images are sent once and share one draw, which depends on their content and the seed, not on their order.

        Args:
            images: Pillow images, arrays or tensors (U8, or floats in 0 … 1), or encoded files, their bytes or paths.
            seed: a whole number that is the same on every rank, such as the trainer's step.
            recipes: names of recipes, or their definitions; a mapping gives each view its name. In a list, a recipe whose
                name contains `preserving` or `removing` makes `views.preserving` or `views.removing`.
            per_rollout: draw anew for every occurrence of an image.
            alpha: the treatment of transparency, that of the model's processor: `white`, `transformers` or `drop`.
            processor: the model's image processor. It is run on the images and views (`views.features`), and a view with
                a different number of image tokens is refused.
            setting: `always`, `schedule`, and what /v1/perturb takes.
        """
        job = views.prepare(
            images, seed, recipes, per_rollout=per_rollout, alpha=alpha, processor=processor, **setting
        )
        try:
            answers = workers.mapped(self.send, job.calls(self._takes_pixels))
        except InvalidRequest as error:
            if not views.refuses_pixels(error, self._takes_pixels):
                raise
            self._takes_pixels = False
            answers = workers.mapped(self.send, job.calls(False))
        return job.finish(answers)

    def info(self) -> catalogue.Info:
        """Ask for the server's version, limits and formats. Raises IncompatibleVersion if this client cannot use it."""
        call = catalogue.info()
        info = call.read(self._transport.send(call))
        versions.check(info.version)
        self._greeted = True
        return info

    def send(self, call: Call[Result]) -> Result:
        """Send any call. Before the first one, the client asks for the server's version."""
        if not self._greeted:
            self.info()
        if self.shared_dir is not None and shared_files.suits(call):
            with shared_files.through_files(call, self.shared_dir) as named:
                return named.read(self._transport.send(named))
        return call.read(self._transport.send(call))

    def close(self) -> None:
        """Close this thread's connections, and end the server that `local` started."""
        self._transport.close()
        if self._server is not None:
            self._server.stop()

    def __getstate__(self) -> dict[str, Any]:
        # Another process may use the server, but does not own it.
        return super().__getstate__() | {"_server": None}

    def __enter__(self) -> Perception:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Perception({', '.join(map(str, self.settings.addresses))})"
