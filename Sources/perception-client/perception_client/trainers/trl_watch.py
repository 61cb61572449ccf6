"""Records TRL's call for its own log-probabilities, to repeat it with other pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


class _Seen(Exception):
    """The call was seen, and not made."""


class Call:
    """A call for the trainer's log-probabilities: the arguments, and the result when there is one."""

    def __init__(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        self.args = args
        # The router's loss is of the original alone.
        self.kwargs = dict(kwargs) | ({"compute_aux_loss": False} if "compute_aux_loss" in kwargs else {})
        self.result: Any = None


class Watch:
    """Records the calls that the trainer makes of its own method.

    Args:
        passes: the trainer's `_get_per_token_logps_and_entropies`.

    Attributes:
        stopping: whether calls are recorded without being made.
    """

    def __init__(self, passes: Callable[..., Any]) -> None:
        self.passes = passes
        self.stopping = False
        self._watching = False
        self._call: Call | None = None

    def passed(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Make the trainer's call, and record it if it is watched for."""
        if self.stopping:
            self._call = Call(args, kwargs)
            raise _Seen
        result = self.passes(*args, **kwargs)
        if self._watching:
            self._call = Call(args, kwargs)
            self._call.result = result
        return result

    def watched(self, own: Callable[..., torch.Tensor], model: Any, batch: Any) -> tuple[torch.Tensor, Call]:
        """Compute the trainer's loss, and return it with the call for its log-probabilities."""
        self._watching = True
        try:
            loss = own(model, batch)
            return loss, self._taken()
        finally:
            self._watching = False

    def peeked(self, own: Callable[..., torch.Tensor], model: Any, batch: Any) -> Call:
        """Return the call that the trainer would make for this batch, without making it."""
        self.stopping = True
        try:
            own(model, batch)
        except _Seen:
            pass
        finally:
            self.stopping = False
        return self._taken()

    def _taken(self) -> Call:
        call, self._call = self._call, None
        if call is None:
            raise RuntimeError(
                "this release of TRL computes its loss without _get_per_token_logps_and_entropies"
            )
        return call
