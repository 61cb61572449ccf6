"""Rollouts of slime's data source, and an engine that answers at once."""

import asyncio
import types

import torch
from features import FIXTURES
from PIL import Image

from small_pictures import WORDS, Processor

REWARDS = [1.0, 0.0, 0.0, 1.0, 1.0]


def arguments(**more):
    return types.SimpleNamespace(**{
        "group_rm": False, "dynamic_sampling_filter_path": None,
        "reward_key": None, "rewards_normalization": True, "grpo_std_normalization": True, "ci_test": False,
        "advantage_estimator": "grpo", "loss_type": "custom_loss", "calculate_per_token_loss": False, "use_critic": False,
        "custom_loss_function_path": "perception_client.trainers.slime.loss", "use_rollout_logprobs": False, "kl_coef": 0,
        "custom_advantage_function_path": "perception_client.trainers.slime.advantages", "normalize_advantages": False,
        "use_opd": False, "rollout_temperature": 0.8, "log_probs_chunk_size": -1, "allgather_cp": False, "rollout_top_p": 1.0,
        "eps_clip": 0.2, "eps_clip_high": 0.2, "use_opsm": False, "use_tis": False, "get_mismatch_metrics": False,
        "entropy_coef": 0.01, "use_kl_loss": False, "recompute_loss_function": False, "use_dynamic_batch_size": False,
        "micro_batch_size": 1, "balance_data": False, "balance_by_flops": False, "global_batch_size": 5, "n_samples_per_prompt": 2,
        "rollout_batch_size": 2, "use_rollout_routing_replay": False,
    } | more)  # fmt: skip


def samples():
    """Two prompts of two rollouts with a picture each, and one of text: what slime's data source gives."""
    from slime.utils.types import Sample

    found = []
    for prompt, name in enumerate(("photograph.jpg", "page.png")):
        picture = Image.open(FIXTURES / name).convert("RGB").resize((56, 84))
        found += [Sample(group_index=prompt, index=2 * prompt + i, prompt="1 2 3", multimodal_inputs={"images": [picture]})
                  for i in range(2)]  # fmt: skip
    return [*found, Sample(group_index=2, index=4, prompt="4 5")]


async def _generated(args, monkeypatch, evaluation):
    from slime.rollout import sglang_rollout

    from perception_client.trainers import slime as adapter

    processor = Processor()

    async def own(args, sample, sampling_params):
        """What slime's `generate` leaves in a sample."""
        own_tokens = torch.randint(1, WORDS, (5 + sample.index,), generator=torch.Generator().manual_seed(sample.index)).tolist()
        prompt = sglang_rollout._prepare_prompt_ids(sample, types.SimpleNamespace(encode=lambda t, **_: [4, 5]), processor)
        sample.tokens = list(prompt)
        sample.append_response_tokens(args, tokens=own_tokens, log_probs=[-1.0] * len(own_tokens), text="")
        sample.status = type(sample).Status.COMPLETED
        return sample

    monkeypatch.setattr(sglang_rollout, "generate", own)
    monkeypatch.setattr(sglang_rollout, "GenerateState", lambda args: types.SimpleNamespace(processor=processor))
    return await asyncio.gather(*(adapter.generate(args, s, {}, evaluation=evaluation) for s in samples()))


def generated(args, monkeypatch, evaluation=False):
    """What `generate` makes of each; rewards are given afterwards, to rollouts alone, as by slime."""
    made = asyncio.run(_generated(args, monkeypatch, evaluation))
    for number, one in enumerate(made):
        (one[0] if isinstance(one, list) else one).reward = REWARDS[number]
    return made


def converted(args, made, dp_size=1):
    """Each rank's data, by slime's own RolloutManager."""
    from slime.ray import rollout as module

    from perception_client.trainers import slime as adapter

    module._validate_rollout_id_annotated([made])
    flat = [s for one in made for s in (one if isinstance(one, list) else [one])]
    manager = types.SimpleNamespace(
        args=args, custom_reward_post_process_func=adapter.rewards, custom_convert_samples_to_train_data_func=None,
        train_parallel_config={"dp_size": dp_size, "cp_size": 1, "vpp_size": 1, "microbatch_group_size_per_vp_stage": 1},
    )  # fmt: skip
    manager._post_process_rewards = lambda s: module.RolloutManager._post_process_rewards(manager, s)
    data = module.RolloutManager._convert_samples_to_train_data(manager, flat)
    module.Box, module.ray.put = (lambda x: x), (lambda x: x)
    return module.RolloutManager._split_train_data_by_dp(manager, data)


def said(args, model, data, grad=False):
    """The policy's log-probabilities of each row, by slime's own function."""
    from slime.backends.megatron_utils import loss as module

    found = []
    for i, tokens in enumerate(data["tokens"]):
        with torch.set_grad_enabled(grad):
            logits = model(tokens, data["multimodal_train_inputs"][i])[None]
        _, one = module.get_log_probs_and_entropy(
            logits, args=args, unconcat_tokens=[tokens], total_lengths=[len(tokens)], response_lengths=[data["response_lengths"][i]]
        )
        found += one["log_probs"]
    return found
