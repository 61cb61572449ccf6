"""The page for JAX, run as it is written, against the same steps in PyTorch with the loss in the process."""

import flax.linen
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch
from features import FIXTURES
from pages import code
from PIL import Image

import in_process

WORDS, WIDTH, SIDE = 40, 16, 32


def parameters():
    draw = np.random.default_rng(0)
    shapes = {"words": (WORDS, WIDTH), "eyes": (SIDE * SIDE * 3, WIDTH), "outer": (WIDTH, WORDS)}
    return {name: draw.normal(0, 0.3 if name != "eyes" else 0.003, s).astype(np.float32) for name, s in shapes.items()}


def model(parameters, inputs, pixels, numbers):
    """Logits [B,S,V]: the running sum of words, with the picture in each; `numbers` is jax.numpy or torch."""
    hidden = parameters["words"][inputs] + (pixels.reshape(len(inputs), -1) @ parameters["eyes"])[:, None]
    return numbers.tanh(hidden.cumsum(1) / 3) @ parameters["outer"]


class FlaxModel(flax.linen.Module):
    """The same model as a module of Flax."""

    @flax.linen.compact
    def __call__(self, inputs, pixels):
        held = {name: self.param(name, lambda _, value=value: value) for name, value in parameters().items()}
        return model(held, inputs, pixels, jnp)


def apply_function(params, inputs, view):
    return model(params, inputs, view, jnp)


def apply_module(params, inputs, view):
    return FlaxModel().apply({"params": params}, inputs, view)


def pictures():
    found = [np.asarray(Image.open(FIXTURES / name).convert("RGB").resize((SIDE, SIDE))) for name in ("photograph.jpg", "page.png")]
    return [found[0], found[0], found[1], found[0]]


def batches():
    found = []
    for number in range(2):
        tokens = np.random.default_rng(number).integers(1, WORDS, (4, 17))
        mask = np.arange(12) < np.array([12, 7, 12, 10])[:, None]
        advantages = np.array([1.0, -0.5, 0.8, 2.0], np.float32)
        found.append(({"inputs": tokens, "ids": tokens[:, -12:], "mask": mask, "advantages": advantages}, pictures()))
    return found


def pixels(images):
    return np.stack(images).astype(np.float32) / 255


def policy(log_probs, batch):
    return -(log_probs * batch["mask"] * batch["advantages"][:, None]).sum() / batch["mask"].sum()


def in_torch(client, share=1.0):
    """Parameters after the same steps; with 0, those of the policy loss alone."""
    held = {name: torch.tensor(value, requires_grad=True) for name, value in parameters().items()}
    for number, (given, images) in enumerate(batches()):
        batch = {name: torch.tensor(value) for name, value in given.items()}
        made = client.views(images, seed=number)
        log_probs, entropy = {}, {}
        for view in ("original", *made):
            logits = model(held, batch["inputs"], torch.tensor(pixels(images if view == "original" else made[view])), torch)
            said = torch.log_softmax(logits[:, -13:-1], -1)
            log_probs[view] = said.gather(2, batch["ids"][..., None])[..., 0]
            entropy[view] = -(said.exp() * said).sum(-1).detach()
        added = in_process.loss("cppo-verl", log_probs, entropy, batch["mask"], batch["advantages"])
        gradients = torch.autograd.grad(policy(log_probs["original"], batch) + share * added, list(held.values()))
        with torch.no_grad():
            for value, gradient in zip(held.values(), gradients, strict=True):
                value -= 0.1 * gradient
    return {name: value.detach().numpy() for name, value in held.items()}


@pytest.mark.parametrize("apply", [apply_function, apply_module])
def test_the_page_takes_the_steps_of_the_loss_in_the_process(url, client, apply):
    names = {
        "apply": apply, "params": parameters(), "batches": batches(),
        "optimizer": optax.sgd(0.1), "policy": policy, "pixels": pixels, "__name__": "jax",
    }  # fmt: skip
    exec(compile(code("jax").replace("http://127.0.0.1:8080", url), "jax.md", "exec"), names)
    expected, alone = in_torch(client), in_torch(client, 0.0)
    assert max(float(np.abs(expected[name] - alone[name]).max()) for name in expected) > 2e-5
    for name, value in expected.items():
        found = np.asarray(names["params"][name])
        assert float(np.abs(found - parameters()[name]).max()) > 1e-3
        np.testing.assert_allclose(found, value, atol=1e-6)
