"""The README's lines put the loss into a policy that NeMo-RL then trains."""

import batches
import readme
from workers import Policy

from small_pictures import Processor


def test_the_lines_of_the_readme(url, tmp_path):
    policy = Policy(step_rows=6)
    before = policy.train
    results = []

    def grpo_train(policy, loss_fn):
        results.append(batches.trained(policy, loss_fn))

    names = {"policy": policy, "processor": Processor(), "grpo_train": grpo_train, "others_of_setup": [batches.loss_function()]}
    assert readme.run({"python nemo_rl"}, url, names, tmp_path) == 1
    assert policy.train != before and results[0]["all_mb_metrics"]["perception/loss"][0] > 0
