"""Four ways to get the perception loss's gradients into a model. Each makes one request for each micro-batch.

| mode | forward passes of one other view | activations held | gradient |
|---|---|---|---|
| `direct` | 1 with graph | all views' | exact |
| `grad_cache` | 1 without graph, 1 with | one view's | exact: that of `direct` |
| `detached` | 1 without graph, by the old policy, for a batch of rollouts | the original's | other views are constants |
| `rows` | 1 without graph, by the old policy; views become training rows | none here | exact for the first update |

They add to the policy loss the contract's objective without a policy term: coefficient · loss, and the preset's
entropy terms. Views that get no gradient – by `stop_gradient`, or because only the detector looks at them –
are run without a graph in every mode. B sequences, T response positions.

With `on_error="skip"` a failed call has a value of 0 and gradients of 0. Every mode still runs the same forward and
backward passes, so that ranks stay in step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch

from ..batches import TENSORS
from ..losses import _OWN
from .known import Known
from .needs import ANCHORLESS, Needs, needs

if TYPE_CHECKING:
    from ..client import Perception

Mode = Literal["direct", "grad_cache", "detached", "rows"]


@dataclass(frozen=True)
class Pass:
    """The model's numbers for the response tokens under one view.

    Attributes:
        log_probs: [B,T] of the sampled tokens, in nats; any value outside the response.
        entropy: [B,T] in nats; None if the trainer provides none.
    """

    log_probs: torch.Tensor
    entropy: torch.Tensor | None = None

    def detached(self) -> Pass:
        """Return the same numbers without their graph."""
        return Pass(self.log_probs.detach(), None if self.entropy is None else self.entropy.detach())


Forward = Callable[[str], Pass]
Backward = Callable[[torch.Tensor], Any]


def direct(
    client: Perception, forward: Forward, original: Pass, *, factor: float = 1.0, **arguments: Any
) -> torch.Tensor:
    """Run the other views with their graph, and return the term to add to the policy loss.

    Args:
        client: sends the request. `client.last` has the result afterwards.
        forward: runs the model under the view of that name, with a graph where gradients are enabled.
        original: the trainer's own pass, with its graph.
        factor: multiplies value and gradient, such as 1 / accumulation steps.
        arguments: those of `Perception.objective` but `log_probs` and `entropy`: `response_mask`, `advantages`,
            `preset`, `normalise`, …

    Returns:
        A scalar whose backward pass reaches every view's graph.
    """
    wanted = wanted_of(client, arguments)
    passes = {"original": original} | _run(forward, wanted, torch.is_grad_enabled())
    return factor * _objective(client, wanted, passes, arguments)


def grad_cache(
    client: Perception,
    forward: Forward,
    original: Pass,
    *,
    backward: Backward = torch.Tensor.backward,
    factor: float = 1.0,
    **arguments: Any,
) -> torch.Tensor:
    """As `direct`, but with only the original's graph and that of one other view in memory at a time.

    The gradients of the other views are in the parameters when it returns. See `cached` for trainers that have not run
    the original yet: it needs the least memory, and suits DistributedDataParallel.

    Args:
        client: as in `direct`.
        forward: as in `direct`.
        original: as in `direct`.
        backward: the trainer's own, which may scale. It is called once for each view that gets a gradient.
        factor: as in `direct`.
        arguments: as in `direct`.

    Returns:
        A scalar with the value of `direct`; its backward pass reaches the original's graph.
    """
    if not torch.is_grad_enabled():
        return direct(client, forward, original, factor=factor, **arguments)
    known = cached(client, forward, original, backward=backward, factor=factor, **arguments)
    return known.attach(original.log_probs)


def cached(
    client: Perception,
    forward: Forward,
    original: Pass | None = None,
    *,
    backward: Backward = torch.Tensor.backward,
    factor: float = 1.0,
    **arguments: Any,
) -> Known:
    """Do the part of `grad_cache` that needs no graph of the original; `attach` does the rest.

    If it is called before the trainer's own forward pass, one graph at a time is in memory. The original is run here
    without a graph unless it is given. Under DistributedDataParallel call it within `no_sync()`: the trainer's own
    backward pass then reduces the sum of all views' gradients.
    """
    wanted = wanted_of(client, arguments)
    passes = {"original": original or _without_graph(forward, "original")} | _run(forward, wanted, False)
    known = _known(client, wanted, passes, factor, arguments)
    for view in wanted.graph[1:]:
        with torch.enable_grad():
            again = forward(view)
            backward(known.attach(again.log_probs, view))
    return known


def detached(
    client: Perception,
    original: Pass,
    others: Mapping[str, Pass],
    *,
    factor: float = 1.0,
    **arguments: Any,
) -> torch.Tensor:
    """Return the loss with the other views as constants, such as the old policy's, as PAPO and VPPO do.

    Args:
        client: as in `direct`.
        original: with its graph.
        others: the other views that the preset needs; see `needs`.
        factor: as in `direct`.
        arguments: as in `direct`.

    Raises:
        ValueError: the estimator is k1 or abs, whose gradient in the original is 0 or a sign.
    """
    wanted = wanted_of(client, arguments)
    if wanted.options["terms"] and wanted.options["estimator"] in ANCHORLESS:
        raise ValueError(
            f"mode detached with estimator {wanted.options['estimator']}: the original's gradient cancels, and the "
            "other views have none. Use k2 or k3, or another mode"
        )
    constants = {view: others[view].detached() for view in wanted.others}
    return factor * _objective(client, wanted, {"original": original, **constants}, arguments)


@dataclass(frozen=True)
class RowWeights:
    """Weights for trainers that train views as further rows.

    Attributes:
        weights: [B,T] by view: −∂value/∂log_prob at the policy that the passes come from. A row's loss is
            −Σ weight · log_prob; group statistics and denominators must leave these rows out.
        value: what is added to the policy loss.
    """

    weights: dict[str, torch.Tensor]
    value: float


def rows(
    client: Perception, passes: Mapping[str, Pass], *, factor: float = 1.0, **arguments: Any
) -> RowWeights:
    """Return the weight of every token of every view, at the policy that made the passes.

    Args:
        client: as in `direct`.
        passes: the original and the other views that the preset needs, with or without graph.
        factor: as in `direct`.
        arguments: as in `direct`.
    """
    wanted = wanted_of(client, arguments)
    known = _known(client, wanted, {v: p.detached() for v, p in passes.items()}, factor, arguments)
    return RowWeights({v: -factor * g for v, g in known.gradients.items()}, known.value * factor)


def wanted_of(client: Perception, arguments: Mapping[str, Any]) -> Needs:
    """Find what a loss with these arguments needs; see `needs`."""
    return needs(client, **{k: v for k, v in arguments.items() if k not in _OWN and k not in TENSORS})


def _run(forward: Forward, wanted: Needs, graphs: bool) -> dict[str, Pass]:
    passes = {}
    for view in wanted.others:
        if graphs and wanted.of_model(view):
            passes[view] = forward(view)
        else:
            passes[view] = _without_graph(forward, view)
    return passes


def _without_graph(forward: Forward, view: str) -> Pass:
    with torch.no_grad():
        return forward(view).detached()


def _known(
    client: Perception,
    wanted: Needs,
    passes: Mapping[str, Pass],
    factor: float,
    arguments: Mapping[str, Any],
) -> Known:
    leaves = {v: passes[v].log_probs.detach().requires_grad_() for v in wanted.graph}
    with torch.enable_grad():
        value = _objective(
            client,
            wanted,
            {v: Pass(leaves.get(v, p.log_probs), p.entropy) for v, p in passes.items()},
            arguments,
        )
        found = torch.autograd.grad(value, list(leaves.values()), allow_unused=True)
    gradients = {
        v: torch.zeros_like(x) if g is None else g for (v, x), g in zip(leaves.items(), found, strict=True)
    }
    return Known(float(value.detach()), factor, gradients, {v: x.detach() for v, x in leaves.items()})


def _objective(
    client: Perception, wanted: Needs, passes: Mapping[str, Pass], arguments: Mapping[str, Any]
) -> torch.Tensor:
    silent = [v for v in wanted.entropy if passes[v].entropy is None]
    if silent:
        raise ValueError(
            f"the detector looks at entropies, and the trainer gives none of {', '.join(silent)}: pass "
            "detector='divergence', which needs log-probabilities alone"
        )
    if wanted.options["policy"] == "none":
        # It acts on the trainer's policy loss, which is shaped by a request of its own, and on none here.
        arguments = {name: value for name, value in arguments.items() if name != "policy_tokens"}
    log_probs = {v: passes[v].log_probs for v in wanted.graph}
    log_probs |= {v: passes[v].log_probs.detach() for v in wanted.constant}
    result: torch.Tensor = client.objective(
        log_probs, entropy={v: passes[v].entropy for v in wanted.entropy} or None, **arguments
    )
    return result
