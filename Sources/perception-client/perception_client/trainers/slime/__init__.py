"""slime: adds the perception loss by further samples of a rollout, which slime trains as rows.

    --custom-generate-function-path perception_client.trainers.slime.generate
    --custom-reward-post-process-path perception_client.trainers.slime.rewards
    --custom-advantage-function-path perception_client.trainers.slime.advantages
    --loss-type custom_loss --custom-loss-function-path perception_client.trainers.slime.loss

`generate` adds two siblings to a rollout with pictures: the same tokens under other pictures. Their loss masks are 0, so
that slime's own losses, divisors and metrics leave them out. In mode `rows`, `advantages` requests weights after the
old policy has computed the log-probabilities of all rows, and `loss` adds −Σ weight · log_prob. In mode `detached`,
`loss` sends a request for each micro-batch, with the old policy's log-probabilities of the views as constants. Settings
are PERCEPTION_… variables of slime's workers.
"""

from .rollouts import generate, rewards
from .training import advantages, loss

__all__ = ["advantages", "generate", "loss", "rewards"]
