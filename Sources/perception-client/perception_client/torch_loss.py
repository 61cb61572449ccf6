"""The loss as a function of torch's autograd."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed
from torch.autograd.function import once_differentiable

from . import torch_arrays
from .losses import Wanted, alone
from .normalising import collective_device
from .results import Score


class ServerLoss(torch.autograd.Function):
    """A scalar with the value of the server's loss; its backward pass has the server's gradients."""

    @staticmethod
    def forward(
        ctx: Any, loss: Wanted, score: Score, needed: list[bool], *inputs: torch.Tensor
    ) -> torch.Tensor:
        """Store the gradients, which are 0 outside the mask."""
        ctx.gradients = _gradients(loss, score, needed, inputs)
        ctx.factor = loss.plan.factor
        wide = torch.float64 if all(x.dtype == torch.float64 for x in inputs) else torch.float32
        value = getattr(score, loss.value) * loss.plan.factor
        return torch.tensor(value, dtype=wide, device=inputs[0].device)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, output: torch.Tensor) -> tuple[Any, ...]:
        """Multiply the gradients by the incoming one."""
        scale = output * ctx.factor
        return None, None, None, *(None if g is None else (g * scale).to(g.dtype) for g in ctx.gradients)


def evaluated(loss: Wanted) -> torch.Tensor:
    """Compute the loss."""
    needs = needed(loss)
    return scalar(loss, loss.settled(loss.named, needs, agreement(loss)), needs)


def needed(loss: Wanted) -> list[bool]:
    """Which tensors need gradients, in the order of `differentiable`."""
    return [torch.is_grad_enabled() and loss.named[name].requires_grad for name in loss.differentiable]


def scalar(loss: Wanted, score: Score, needs: list[bool]) -> torch.Tensor:
    """Add the loss to the graph."""
    inputs = [loss.named[name] for name in loss.differentiable]
    result: torch.Tensor = ServerLoss.apply(loss, score, needs, *inputs)  # type: ignore[no-untyped-call]
    return result


def _gradients(
    loss: Wanted, score: Score, needed: list[bool], inputs: tuple[torch.Tensor, ...]
) -> list[torch.Tensor | None]:
    """Gradients in the order of `inputs`, of their devices and element types; None where none is needed."""
    if loss.differentiable[0].endswith(".logits"):
        return [
            _scattered(score, n, x) if need else None
            for n, need, x in zip(loss.differentiable, needed, inputs, strict=True)
        ]
    found = torch_arrays.returned([score.stored_gradient(name) for name in loss.differentiable], inputs)
    return [
        None if not need else torch.zeros_like(x) if g is None else g.reshape(x.shape)
        for g, need, x in zip(found, needed, inputs, strict=True)
    ]


def _scattered(score: Score, name: str, logits: torch.Tensor) -> torch.Tensor:
    """Gradients [S,V] of the rows that carry loss, in a tensor of the logits' shape that is 0 elsewhere.

    Where every row carries loss, they are that tensor themselves.
    """
    rows, part = score.grad_rows, score.stored_gradient(name)
    if rows is None or part is None or not len(rows):
        return torch.zeros_like(logits, memory_format=torch.contiguous_format)
    values: torch.Tensor = torch_arrays.returned([part], [logits])[0]
    if values.numel() == logits.numel():
        return values.reshape(logits.shape)
    index = torch_arrays.returned([rows], [torch.empty(0, dtype=torch.int64, device=logits.device)])[0]
    whole = torch.zeros_like(logits, memory_format=torch.contiguous_format)
    whole.view(-1, logits.shape[-1]).index_copy_(0, index, values)
    return whole


def agreement(loss: Wanted) -> Any:
    """Return how this rank learns of other ranks' failures: one all-reduce if errors are skipped."""
    if loss.client.on_error == "raise":
        return alone
    if not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return alone
    group = loss.client.group

    def agree(severity: int) -> int:
        flag = torch.tensor(severity, dtype=torch.int32, device=collective_device(group))
        torch.distributed.all_reduce(flag, op=torch.distributed.ReduceOp.MAX, group=group)
        return int(flag)

    return agree
