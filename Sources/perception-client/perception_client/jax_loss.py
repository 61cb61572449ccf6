"""The loss as a function of JAX, under jit and grad: `custom_vjp` over `pure_callback`."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .losses import Wanted, alone


def evaluated(loss: Wanted) -> Any:
    """Compute the loss. Shapes and options are static; every array may be traced."""
    constants = {n: v for n, v in loss.named.items() if n not in loss.differentiable}
    traced = {n: v for n, v in constants.items() if isinstance(v, jax.Array)}
    held = {n: v for n, v in constants.items() if n not in traced}

    def asked(needed: bool, inputs: dict[str, Any], arrays: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        whole = {n: np.asarray(v) for n, v in (inputs | arrays).items()} | held
        score = loss.settled(whole, [needed] * len(loss.differentiable), alone)
        value = np.float32(getattr(score, loss.value) * loss.plan.factor)
        gradients = {n: score.arrays.get(f"grad.{n}") for n in inputs} if needed else {}
        return value, {
            n: np.zeros(inputs[n].shape, np.float32)
            if g is None
            else g.astype(np.float32) * np.float32(loss.plan.factor)
            for n, g in gradients.items()
        }

    def called(needed: bool, inputs: dict[str, Any], arrays: dict[str, Any]) -> Any:
        scalar = jax.ShapeDtypeStruct((), jnp.float32)  # type: ignore[no-untyped-call]
        shapes = {}
        if needed:
            shapes = {n: jax.ShapeDtypeStruct(x.shape, jnp.float32) for n, x in inputs.items()}  # type: ignore[no-untyped-call]
        return jax.pure_callback(lambda i, a: asked(needed, i, a), (scalar, shapes), inputs, arrays)

    @jax.custom_vjp
    def value(inputs: dict[str, Any], arrays: dict[str, Any]) -> Any:
        return called(False, inputs, arrays)[0]

    def forward(inputs: dict[str, Any], arrays: dict[str, Any]) -> Any:
        result, gradients = called(True, inputs, arrays)
        return result, (gradients, {n: jnp.zeros((0,), x.dtype) for n, x in inputs.items()})

    def backward(kept: Any, output: Any) -> Any:
        gradients, kinds = kept
        return {n: (g * output).astype(kinds[n].dtype) for n, g in gradients.items()}, None

    value.defvjp(forward, backward)
    if loss.differentiable[0].endswith(".logits"):
        raise TypeError("JAX losses take log_probs; logits with their graph are torch's")
    return value({n: loss.named[n] for n in loss.differentiable}, traced)
