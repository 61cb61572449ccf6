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
    """A server, or several that do the same. Making one connects to nothing.

    Threads may share it, and so may forked and spawned processes. Args:
        url: `http://HOST:PORT`, `https://…`, `unix:/PATH`, or a list of them: the next one is tried when one fails.
            Absent, PERCEPTION_URL (separated by commas), else http://127.0.0.1:8080.
        token: the bearer token; absent, PERCEPTION_TOKEN.
        run: the training run's name in the server's metrics, any text.
        deadline: seconds for one call with all its retries. Below the timeout of the trainer's collectives.
        timeout: seconds without a byte after which one try is given up.
        on_error: what `loss` and `objective` do when a call fails: `raise`, or `skip` for a zero loss with zero
            gradients, which is counted in `skipped` and logged. With torch.distributed all ranks of `group` skip
            together, so every rank must make the same calls.
        group: the process group that agrees on skipping; absent, the default one.
        authority: for https, a PEM file of certificates to trust, or an SSLContext.
        shared_dir: the folder of the server's `--shared-dir`, when it runs on this machine: large requests and their
            results go through it as files.
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

        The server ends with this process, however that ends, and when `close` is called. Forked workers use it, too.

        Args:
            run: as in the constructor.
            deadline: as in the constructor.
            timeout: as in the constructor.
            on_error: as in the constructor.
            group: as in the constructor.
            binary: the server; absent, PERCEPTION_SERVER_BINARY, the wheel `perception-server`, or the PATH.
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
        """Make a view of each image under each recipe, of the same kind and size as the image.

        Equal images are sent once and get one draw, whatever their order: it depends on the content and the seed.

        Args:
            images: Pillow images, arrays or tensors (U8, or floats in 0 … 1), or encoded files, their bytes or paths.
            seed: any whole number, such as the trainer's step: the same on every rank.
            recipes: names, or recipes written out; with a mapping, by the name the view is to have. A name with
                `preserving` or `removing` in it is called so: `views.preserving`.
            per_rollout: draw anew for every occurrence of an image.
            alpha: what becomes of transparency, as the model's processor does it: `white`, `transformers` or `drop`.
            processor: the model's processor: it is run on images and views (`views.features`), and views with another
                number of image tokens are refused.
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
        """Ask what runs there: version, limits, formats. Raises IncompatibleVersion when it does not fit."""
        call = catalogue.info()
        info = call.read(self._transport.send(call))
        versions.check(info.version)
        self._greeted = True
        return info

    def send(self, call: Call[Result]) -> Result:
        """Send any call. The first one asks for the server's version before."""
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
