"""slime: the perception loss as further samples of a rollout, which slime trains as rows of their own.

    --custom-generate-function-path perception_client.trainers.slime.generate
    --custom-reward-post-process-path perception_client.trainers.slime.rewards
    --custom-advantage-function-path perception_client.trainers.slime.advantages
    --loss-type custom_loss --custom-loss-function-path perception_client.trainers.slime.loss

`generate` gives a rollout with pictures two siblings, the same tokens under other pictures. Their loss masks
are 0, so that slime's own losses, divisors and metrics leave them out. In mode `rows`, once the old policy
has said its log-probabilities of all rows, `advantages` asks the perception server for weights, and `loss` adds
−Σ weight · log_prob. In mode `detached` `loss` asks for each micro-batch, the old policy's log-probabilities of the views
being constants. Settings are PERCEPTION_… variables of slime's workers.
"""

from .rollouts import generate, rewards
from .training import advantages, loss

__all__ = ["advantages", "generate", "loss", "rewards"]
