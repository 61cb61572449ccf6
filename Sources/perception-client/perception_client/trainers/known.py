"""The server's answer for the model's current log-probabilities, which joins its graph later.

B sequences, T response positions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch.autograd.function import once_differentiable

# Nats by which a second forward pass may differ from the first, in the mean over the tokens that carry gradient.
REPEATABLE = 0.02


@dataclass(frozen=True)
class Known:
    """The server's answer for the model's current log-probabilities.

    Attributes:
        value: of the objective, before `factor`.
        gradients: [B,T] by view, before `factor`.
        at: the log-probabilities [B,T] by view for which the gradients were computed.
    """

    value: float
    factor: float
    gradients: dict[str, torch.Tensor] = field(repr=False)
    at: dict[str, torch.Tensor] = field(repr=False)

    def attach(self, log_probs: torch.Tensor, view: str = "original") -> torch.Tensor:
        """Make a scalar of `factor` · value whose backward pass sends `factor` · gradient into `log_probs` [B,T].

        Raises:
            RuntimeError: the log-probabilities differ from those for which the gradients were computed, as with
                dropout.
        """
        gradient = self.gradients[view]
        counts = gradient != 0
        apart = (log_probs.detach() - self.at[view]).abs().masked_fill(~counts, 0).sum() / counts.sum().clamp(
            min=1
        )
        if not apart <= REPEATABLE:
            raise RuntimeError(
                f"the second forward pass under {view} says log-probabilities that are {float(apart):.3g} nats from the "
                'first one\'s: grad_cache needs a model that repeats itself. Switch dropout off, or use mode "direct"'
            )
        result: torch.Tensor = _Attached.apply(log_probs, gradient * self.factor, self.value * self.factor)  # type: ignore[no-untyped-call]
        return result


class _Attached(torch.autograd.Function):
    """A number with a known gradient. It never multiplies log-probabilities, which may be −inf outside the response."""

    @staticmethod
    def forward(ctx: Any, log_probs: torch.Tensor, gradient: torch.Tensor, value: float) -> torch.Tensor:
        ctx.save_for_backward(gradient)
        return torch.tensor(value, dtype=torch.float32, device=log_probs.device)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, output: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return (gradient * output).to(gradient.dtype), None, None
