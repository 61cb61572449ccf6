"""Rollouts as `grpo_train` lays them out: two prompts with a picture and two rollouts each, and one prompt of text."""

import torch
from features import FIXTURES
from PIL import Image

from small_pictures import WORDS, Processor

PROMPT, ROWS = 3, 6
REWARDS = [1.0, 0.0, 0.0, 1.0, 1.0, 0.0]


def picture(name):
    return Image.open(FIXTURES / name).convert("RGB").resize((56, 84))


def batch(rows=ROWS):
    """`train_data` before its log-probabilities, right-padded; the last two rollouts are of text."""
    from nemo_rl.data.multimodal_utils import PackedTensor
    from nemo_rl.distributed.batched_data_dict import BatchedDataDict

    random = torch.Generator().manual_seed(0)
    lengths = torch.tensor([PROMPT + 5 + i for i in range(rows)])
    ids = torch.zeros(rows, int(lengths.max()), dtype=torch.long)
    for row, length in zip(ids, lengths.tolist(), strict=True):
        row[:length] = torch.randint(1, WORDS, (length,), generator=random)
    where = torch.arange(ids.shape[1])
    mask = ((where >= PROMPT) & (where < lengths[:, None])).float()
    seen = [Processor()(images=[picture(name)]) for name in ("photograph.jpg", "page.png")]
    own = [seen[0], seen[0], seen[1], seen[1], None, None][:rows]
    return BatchedDataDict({
        "input_ids": ids, "input_lengths": lengths, "token_mask": mask, "sample_mask": torch.ones(rows),
        "generation_logprobs": -torch.rand(ids.shape, generator=random) - 1,
        "pixel_values": PackedTensor([None if x is None else x["pixel_values"].clone() for x in own], 0),
        "image_grid_thw": PackedTensor([None if x is None else x["image_grid_thw"].clone() for x in own], 0),
    })  # fmt: skip


def advantages(data, rewards=REWARDS):
    """Those of NeMo-RL's own estimator, [B,S]."""
    from nemo_rl.algorithms.advantage_estimator import GRPOAdvantageEstimator

    estimator = GRPOAdvantageEstimator({"use_leave_one_out_baseline": False, "normalize_rewards": True}, None)
    prompts = torch.tensor([[i // 2] * PROMPT for i in range(data.size)])
    mask = data["token_mask"] * data["sample_mask"][:, None]
    return estimator.compute_advantage(prompts, torch.tensor(rewards[: data.size]), mask).clone()


def loss_function(**option):
    from nemo_rl.algorithms.loss import ClippedPGLossConfig, ClippedPGLossFn

    return ClippedPGLossFn(ClippedPGLossConfig(**{"reference_policy_kl_penalty": 0.05, **option}))


def trained(policy, loss_fn, data=None, skip_logprobs=False):
    """One pass of `grpo_train` from its log-probabilities to the training step."""
    data = batch() if data is None else data
    asked = {k: v for k, v in data.items() if k != "generation_logprobs"}
    if skip_logprobs:
        data["prev_logprobs"] = torch.zeros_like(data["generation_logprobs"])
    else:
        data["prev_logprobs"] = policy.get_logprobs(type(data)(asked), timer=None)["logprobs"]
    data["reference_policy_logprobs"] = data["prev_logprobs"] - 0.1
    data["advantages"] = advantages(data)
    return policy.train(data, loss_fn, timer=None)
