"""The README's example takes steps, and is as short as it says."""

from types import SimpleNamespace

import readme
import rollouts as made
import torch
from stand_in import TrainingClient
from tinker import types

from perception_client.trainers.tinker.rollouts import datum


def batch(training, step):
    """As a user has them: the prompt, the tokens, and the policy's own rows."""
    rollouts, policy = [], []
    for rollout in made.rollouts(step)[:3]:
        tokens = list(rollout.sequence.chunks[-1].tokens)
        prompt = types.ModelInput(chunks=list(rollout.sequence.chunks)[:-1])
        rollouts.append(SimpleNamespace(prompt=prompt, tokens=tokens, advantage=rollout.advantage))
        row = rollout.under(rollout.pictures)
        numbers = {"weights": [0.0] * row.length}
        policy.append(datum(row, rollout.targets, numbers))
    return SimpleNamespace(rollouts=rollouts, policy_data=policy)


class Client(TrainingClient):
    """Takes the policy's rows as well, without a gradient."""

    def forward_backward(self, data, loss_fn, loss_fn_config=None):
        if loss_fn == "ppo":
            return super().forward(data, "cross_entropy")
        return super().forward_backward(data, loss_fn, loss_fn_config)


def test_the_example_takes_steps(url, tmp_path):
    training = Client()
    names = {
        "training_client": training,
        "batches": [batch(training, step) for step in range(2)],
        "adam": types.AdamParams(learning_rate=0.1),
    }
    before = [p.detach().clone() for p in training.model.parameters()]
    assert readme.run({"python tinker"}, url, names, tmp_path) == 1
    assert any(not torch.equal(p, b) for p, b in zip(training.model.parameters(), before, strict=True))
    assert [call[0] for call in training.calls].count("forward_backward") == 2
    (code,) = (code for kind, code in readme.examples() if kind == "python tinker")
    lines = [line for line in code.splitlines() if line.strip()]
    # The loop, the policy's rows and the optimiser's step are there without this package, too.
    assert len([x for x in lines if not x.startswith("for ") and "training_client." not in x]) <= 5
