"""`loss` in JAX: under grad and jit."""

import numpy as np
import pytest

jax = pytest.importorskip("jax")
import jax.numpy as jnp
import torch
from reference import leaves

from perception_client import Perception
from scripted import free_port


def given(batch):
    rest = {k: v for k, v in batch.items() if k != "log_probs"}
    return {v: jnp.asarray(x) for v, x in batch["log_probs"].items()}, rest


def expected(client, batch):
    log_probs, rest = leaves(batch)
    loss = client.loss(log_probs, **rest, tau=0.2)
    loss.backward()
    return loss.item(), {v: x.grad.numpy() for v, x in log_probs.items()}


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("traced", [False, True])
def test_value_and_gradients_are_torchs(client, batch, compiled, traced):
    """With the constants as NumPy arrays, and as traced arguments."""
    value, gradients = expected(client, batch)
    log_probs, rest = given(batch)

    def loss(x, arrays):
        return 2 * client.loss(x, **(arrays if traced else rest), tau=0.2)

    constants = jax.tree.map(jnp.asarray, rest)
    function = jax.value_and_grad(loss)
    found, slopes = (jax.jit(function) if compiled else function)(log_probs, constants)
    assert float(found) == pytest.approx(2 * value, rel=1e-6)
    for view, slope in slopes.items():
        np.testing.assert_allclose(slope, 2 * gradients[view], rtol=1e-6)
    assert client.last.loss == pytest.approx(value, rel=1e-6)


def test_without_a_gradient_none_is_asked_for(client, batch):
    log_probs, rest = given(batch)
    value = client.loss(log_probs, **rest)
    assert float(value) == pytest.approx(client.last.loss, rel=1e-6)
    assert set(client.last.arrays) == {"mask"}


def test_low_precision_comes_back(client, batch):
    log_probs, rest = given(batch)
    low = {v: x.astype(jnp.bfloat16) for v, x in log_probs.items()}
    slopes = jax.grad(lambda x: client.loss(x, **rest))(low)
    assert all(s.dtype == jnp.bfloat16 for s in slopes.values())
    assert any(float(jnp.abs(s).sum()) > 0 for s in slopes.values())


def test_skipping(batch):
    client = Perception(f"http://127.0.0.1:{free_port()}", deadline=0.3, on_error="skip")
    log_probs, rest = given(batch)
    value, slopes = jax.value_and_grad(lambda x: client.loss(x, **rest))(log_probs)
    assert float(value) == 0 and all(float(jnp.abs(s).sum()) == 0 for s in slopes.values())
    assert client.skipped == 1


def test_both_libraries_in_one_process_do_not_mix(client, batch):
    log_probs, rest = given(batch)
    mixed = log_probs | {"original": torch.tensor(batch["log_probs"]["original"])}
    with pytest.raises(TypeError, match="not ArrayImpl, Tensor"):
        client.loss(mixed, **rest)
