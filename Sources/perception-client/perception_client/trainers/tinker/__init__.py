"""Tinker and servers that speak its protocol: adds the perception loss by further rows of a training step.

    from perception_client.trainers.tinker import PerceptionRows, Rollout

    perception = PerceptionRows(training_client, url="http://127.0.0.1:8080", options={"detector": "divergence"})
    …
    training_client.forward_backward(policy_data, "ppo").result()        # the policy loss, as ever
    perception.add([Rollout.of(prompt, tokens, advantage), …], step)     # the perception loss
    training_client.optim_step(adam).result()

Mode `rows`. Each rollout is a row under every view; their gradients add up to the loss's. The rows carry the server's
weights as signed advantages of the loss `importance_sampling`: at the policy for which the weights were computed its
ratio is 1, so that it is linear in them. `forward_backward_custom` is not used: it sends the weights with
`cross_entropy`, which some servers divide by their sum, and signed weights may sum to 0.
"""

from __future__ import annotations

from .. import versions

OLDEST, NEWEST = "0.25", "0.38"
versions.require("tinker", OLDEST, NEWEST)

from .adding import PerceptionRows  # noqa: E402
from .rollouts import Rollout  # noqa: E402
from .sending import MayHaveCounted, PicturesDropped  # noqa: E402

__all__ = ["MayHaveCounted", "PerceptionRows", "PicturesDropped", "Rollout"]
