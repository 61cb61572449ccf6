"""Which way each loss pulls: gradients at the supervised start, before anything has been learnt from them.

The gradient of the supervised loss on right answers is the direction in which the model gets better. How far a perception
loss points there, or away from it, is what its arm can be expected to do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

import arms
import pictures
from model import Model
from reinforcement import Timed, Trainer

BATCHES, RIGHT = 8, 1024


EXAMINED = (
    *(name for name, arm in arms.MAIN.items() if not arm.longer),
    *(name for name in arms.swept() if name.startswith(("detector", "estimator", "recipes: preserving"))),
)


def pulls(model: Model, seed: int, client: Timed, names: Sequence[str] = EXAMINED) -> dict[str, dict[str, float]]:
    """Compare mean gradients over BATCHES batches of rollouts.

    Returns:
        By arm: `policy`, `perception`, the norms of the two losses' gradients; `policy_right`, `perception_right`, their
        cosines with the gradient of the supervised loss; `together`, the cosine of the two.
    """
    right = _right(model, seed)
    found = {}
    for name in names:
        arm = arms.named(name)
        for half, options in (("", arm.options), (", later", arm.later)):
            if half and options is None:
                continue
            trainer = Trainer(model, seed, client)
            policy, perception = torch.zeros_like(right), torch.zeros_like(right)
            for _ in range(BATCHES):
                of_policy, of_perception, _ = trainer.losses(arm, later=bool(half))
                policy += _gradient(model, of_policy) / BATCHES
                if of_perception is not None:
                    perception += _gradient(model, of_perception) / BATCHES
                trainer.steps += 1
            found[name + half] = {
                "policy": float(policy.norm()), "perception": float(perception.norm()),
                "policy_right": _cosine(policy, right), "perception_right": _cosine(perception, right),
                "together": _cosine(policy, perception),
            }  # fmt: skip
    return found


def _right(model: Model, seed: int) -> Tensor:
    """The gradient of the supervised loss on new questions."""
    examples = pictures.drawn(RIGHT, np.random.default_rng([seed, 10]))
    words = torch.from_numpy(examples.words)[:, None]
    logits = model.logits(model.look(torch.from_numpy(examples.pictures)), torch.from_numpy(examples.questions), words)
    return _gradient(model, F.cross_entropy(logits.flatten(0, 2), words.flatten()))


def _gradient(model: Model, loss: Tensor) -> Tensor:
    parts = torch.autograd.grad(loss, list(model.parameters()), retain_graph=True, allow_unused=True)
    whole = [torch.zeros_like(p) if g is None else g for p, g in zip(model.parameters(), parts, strict=True)]
    return torch.cat([g.flatten() for g in whole])


def _cosine(a: Tensor, b: Tensor) -> float:
    return float(F.cosine_similarity(a, b, 0)) if a.norm() > 0 and b.norm() > 0 else 0.0
