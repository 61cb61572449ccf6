"""The numeric endpoints' answers. B sequences, T response positions, S rows that carry loss, V vocabulary entries.

Arrays are NumPy's: F32, masks U8, row numbers I64; [B,T], or [N] when the request was packed. Gradients that came as
BF16, which NumPy does not have, become F32. An array that was not requested, or that the request does not produce, is
None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .calls import Answer
from .errors import PerceptionError
from .safetensors_file import Stored

Array = np.ndarray[Any, Any]
VIEWS = ("original", "preserving", "removing")


class Arrays(Mapping[str, Array]):
    """An answer's tensors as arrays, each converted at its first use. Only BF16 is copied."""

    def __init__(self, tensors: Mapping[str, Stored] | None = None) -> None:
        self._tensors = dict(tensors or {})
        self._made: dict[str, Array] = {}

    def stored(self, name: str) -> Stored | None:
        """Return a tensor in its own element type; None if there is none."""
        return self._tensors.get(name)

    def __getitem__(self, name: str) -> Array:
        if name not in self._made:
            self._made[name] = self._tensors[name].array
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._tensors

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)

    def __reduce__(self) -> tuple[Any, ...]:
        # What lies in a reply's memory does not travel to another process; arrays do.
        return dict, (dict(self),)


@dataclass(frozen=True, kw_only=True)
class Result:
    """The base of all results: arrays by the contract's names, and scalars and options as the server wrote them.

    Attributes:
        arrays: every tensor of the answer by its name in the contract.
        scalars: the answer's JSON, including members that this client does not know.
        server_ms: milliseconds that the server spent on it.
        request_id: identifies the request in the server's log.
    """

    arrays: Mapping[str, Array] = field(default_factory=Arrays, repr=False)
    scalars: Mapping[str, Any] = field(default_factory=dict, repr=False)
    server_ms: float | None = None
    request_id: str | None = None

    @property
    def options(self) -> dict[str, Any]:
        """Every option as the server applied it."""
        return dict(self.scalars.get("options", {}))

    @property
    def diagnostics(self) -> dict[str, Any]:
        """Counts of tokens: `tokens`, `candidates`, `selected`, `gated`, and more; `sequences` has them for each."""
        return dict(self.scalars.get("diagnostics", {}))

    def _array(self, name: str) -> Array | None:
        return self.arrays.get(name)


@dataclass(frozen=True, kw_only=True)
class Mask(Result):
    """Which tokens depend on the image."""

    @property
    def mask(self) -> Array | None:
        """perception_mask ∧ gate [B,T], U8."""
        return self._array("mask")

    @property
    def perception_mask(self) -> Array | None:
        """The tokens that the detector selected [B,T], U8."""
        return self._array("perception_mask")

    @property
    def gate(self) -> Array | None:
        """The response tokens that pass the gate [B,T], U8."""
        return self._array("gate")

    @property
    def delta_entropy(self) -> Array | None:
        """H_removing − H_original [B,T], nats."""
        return self._array("delta_entropy")

    @property
    def perception_score(self) -> Array | None:
        """The score that ranks the candidates [B,T]."""
        return self._array("perception_score")

    @property
    def advantage_scale(self) -> Array | None:
        """Factor of each sequence's advantage [B]."""
        return self._array("advantage_scale")

    @property
    def gated(self) -> int:
        """The number of tokens in `mask`."""
        return int(self.diagnostics.get("gated", 0))


@dataclass(frozen=True, kw_only=True)
class Score(Mask):
    """The loss, its gradients, and which tokens carry it.

    A skipped call (`on_error="skip"`) has `skipped` set, loss 0, and the reason in `error`.
    """

    skipped: bool = False
    error: PerceptionError | None = None
    complete: Callable[[], Score] | None = field(default=None, repr=False, compare=False)

    def _scalar(self, name: str) -> float:
        value = self.scalars.get(name)
        return 0.0 if value is None else float(value)

    @property
    def loss(self) -> float:
        """The aggregated perception loss, before its coefficient."""
        return self._scalar("loss")

    @property
    def weighted_loss(self) -> float:
        """Coefficient · loss."""
        return self._scalar("weighted_loss")

    @property
    def loss_numerator(self) -> float:
        """The sum that `loss_denominator` divides."""
        return self._scalar("loss_numerator")

    @property
    def loss_denominator(self) -> float:
        """The divisor of the aggregation."""
        return self._scalar("loss_denominator")

    @property
    def objective(self) -> float:
        """policy_loss + kl_coefficient · kl + coefficient · loss + entropy terms."""
        return self._scalar("objective")

    @property
    def token_loss(self) -> Array | None:
        """The loss of every response token [B,T]. It counts where `mask` is 1."""
        return self._array("token_loss")

    @property
    def grad(self) -> dict[str, Array]:
        """∂loss/∂log_prob [B,T] by view, F32."""
        return {v: self.arrays[n] for v in VIEWS if (n := f"grad.{v}.log_probs") in self.arrays}

    @property
    def grad_rows(self) -> Array | None:
        """Rows b·T + t (or packed positions) of `grad_logits` [S], I64."""
        return self._array("grad.rows")

    @property
    def grad_logits(self) -> dict[str, Array]:
        """∂loss/∂logits [S,V] by view, of the rows in `grad_rows`, F32."""
        return {v: self.arrays[n] for v in VIEWS if (n := f"grad.{v}.logits") in self.arrays}

    def stored_gradient(self, name: str) -> Stored | Array | None:
        """Return a gradient by the name of what it is for, `original.logits`: as it came, where it is still known."""
        arrays, name = self.arrays, f"grad.{name}"
        return arrays.stored(name) if isinstance(arrays, Arrays) else arrays.get(name)

    def full(self) -> Score:
        """Return the result with every array, requesting those that were left out."""
        if self.complete is None:
            return self
        return replace(self.complete(), complete=None)

    def to_html(self, tokens: Any = None, color: str | None = None) -> str:
        """Make a self-contained page with a heat map of the tokens; see `heatmap.page`."""
        from .heatmap import page

        return page(self.full(), tokens, color)

    def show(self, tokens: Any = None, color: str | None = None) -> Any:
        """Return the heat map for a notebook to display."""
        from .heatmap import HeatMap, fragment

        return HeatMap(fragment(self.full(), tokens, color))

    def _repr_html_(self) -> str:
        from .heatmap import fragment

        return fragment(self.full(), None, None)


@dataclass(frozen=True, kw_only=True)
class Entropies(Result):
    """Numbers of each row of logits, in the shape of the logits without V, by view (`""` for unnamed logits)."""

    @property
    def entropy(self) -> dict[str, Array]:
        """Entropies in nats."""
        return self._by_view("entropy")

    @property
    def log_probs(self) -> dict[str, Array]:
        """Log-probabilities of `token_ids`; empty without them."""
        return self._by_view("log_probs")

    @property
    def log_sum_exp(self) -> dict[str, Array]:
        """Logarithms of Σ exp(logit / temperature)."""
        return self._by_view("log_sum_exp")

    def _by_view(self, name: str) -> dict[str, Array]:
        return {n.rpartition(".")[0]: a for n, a in self.arrays.items() if n.rpartition(".")[2] == name}


@dataclass(frozen=True, kw_only=True)
class Advantages(Result):
    """One advantage for each sequence."""

    @property
    def advantages(self) -> Array:
        """[B], F32."""
        return self.arrays["advantages"]


def arranged(kind: type[Any], answer: Answer, **more: Any) -> Any:
    """Make a result from a safetensors answer. 0-dimensional tensors become scalars."""
    tensors, scalars = answer.tensors()
    arrays = Arrays({name: t for name, t in tensors.items() if t.shape})
    return kind(
        arrays=arrays, scalars=scalars, server_ms=answer.server_ms, request_id=answer.request_id, **more
    )
