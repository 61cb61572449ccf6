"""NeMo-RL: adds the perception loss to the policy loss, by one call between `setup` and `grpo_train`.

    from perception_client.trainers import nemo_rl

    nemo_rl.install(policy, processor, url="http://127.0.0.1:8080", options={"detector": "divergence"})
    grpo_train(policy, policy_generation, …, loss_fn, …)

`install` replaces two methods of the policy, `get_logprobs` and `train`, and lets NeMo-RL flatten batches in which only
some rows have pictures. Everything else is unchanged.
Modes: `rows` and `detached`.
"""

from .policy import install

__all__ = ["install"]
