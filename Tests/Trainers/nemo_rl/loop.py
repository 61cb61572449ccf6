"""What stands around NeMo-RL's own `grpo_train`: an engine, an environment and a tokenizer for small pictures, its settings.

Rollouts, rewards, advantages, log-probabilities, metrics and the order of all of it are NeMo-RL's.
"""

import types

import torch
from batches import PROMPT, picture
from workers import Policy

from small_pictures import WORDS, Processor


class Tokenizer:
    """Words are numbers."""

    pad_token_id = 0

    def batch_decode(self, rows, skip_special_tokens=False):
        return [" ".join(str(int(token)) for token in row) for row in rows]

    def __call__(self, text, return_tensors=None, add_special_tokens=False):
        return types.SimpleNamespace(input_ids=torch.tensor([[int(word) for word in text.split()]]))


class Generation:
    """Stands for an inference engine: random words, five of them and more, with the policy's log-probabilities."""

    def __init__(self, policy):
        self.policy, self.draw = policy, torch.Generator().manual_seed(0)
        self.refits = 0

    def generate(self, data, greedy=False):
        from nemo_rl.distributed.batched_data_dict import BatchedDataDict

        first = data["input_lengths"]
        lengths = torch.randint(5, 9, (data.size,), generator=self.draw)
        whole = torch.zeros(data.size, int((first + lengths).max()), dtype=torch.long)
        for row, prompt, start, length in zip(whole, data["input_ids"], first.tolist(), lengths.tolist(), strict=True):
            row[:start] = prompt[:start]
            row[start : start + length] = torch.randint(1, WORDS, (length,), generator=self.draw)
        asked = data.select_indices(list(range(data.size)))
        asked["input_ids"] = whole
        return BatchedDataDict({
            "output_ids": whole, "generation_lengths": lengths, "unpadded_sequence_lengths": first + lengths,
            "logprobs": Policy.get_logprobs(self.policy, asked)["logprobs"],
        })  # fmt: skip

    def update_weights_from_collective(self):
        self.refits += 1
        return [True]

    def get_logger_metrics(self):
        return {}

    def prepare_for_generation(self, **_):
        pass

    finish_generation = clear_logger_metrics = prepare_for_generation


class Environment:
    """Rewards the share of even words; an episode is one turn. `step.remote` gives what `ray.get` waits for."""

    def __init__(self):
        self.step = types.SimpleNamespace(remote=lambda *given: Future(self._step(*given)))

    def _step(self, logs, information):
        from nemo_rl.environments.interfaces import EnvironmentReturn

        words = [[int(word) for word in log[-1]["content"].split()] for log in logs]
        rewards = torch.tensor([sum(word % 2 == 0 for word in said) / len(said) for said in words])
        return EnvironmentReturn(
            observations=[{"role": "environment", "content": ""} for _ in logs], metadata=information,
            next_stop_strings=[None] * len(logs), rewards=rewards, terminateds=torch.ones(len(logs)), answers=None)  # fmt: skip


class Future:
    """A key of dictionaries, as Ray's are."""

    def __init__(self, value):
        self.value = value


class Logger:
    """Keeps the numbers of each step, by prefix and name."""

    def __init__(self):
        self.steps = {}

    def log_metrics(self, metrics, step, prefix="", step_finished=False):
        self.steps.setdefault(step, {}).update({f"{prefix}/{name}": value for name, value in metrics.items()})

    def log_histogram(self, *_):
        pass

    log_batched_dict_as_jsonl = log_plot_token_mult_prob_error = log_histogram


def prompts():
    """Batches of a data loader: each has two prompts with a picture and one without, as NeMo-RL's processors make them.

    A prompt of text has no key of pictures. It is the last one of the first batch and the first one of the second.
    """
    from nemo_rl.data.collate_fn import rl_collate_fn
    from nemo_rl.data.multimodal_utils import PackedTensor

    draw = torch.Generator().manual_seed(1)
    found = []
    for names in (("photograph.jpg", "page.png", None), (None, "page.png", "photograph.jpg")):
        rows = []
        for number, name in enumerate(names):
            message = {"role": "user", "content": "", "token_ids": torch.randint(1, WORDS, (PROMPT,), generator=draw)}
            inputs = {} if name is None else Processor()(images=[picture(name)])
            message |= {key: PackedTensor(value, dim_to_pack=0) for key, value in inputs.items()}
            rows.append({
                "message_log": [message], "length": PROMPT, "loss_multiplier": 1.0, "extra_env_info": {}, "task_name": "even",
                "idx": number,
            })  # fmt: skip
        found.append(rl_collate_fn(rows))
    return found


def settings(**option):
    """NeMo-RL's own configuration, with what `grpo_train` reads of it."""
    from nemo_rl.algorithms.grpo import MasterConfig
    from nemo_rl.algorithms.loss import ClippedPGLossConfig

    return MasterConfig.model_construct(
        policy={
            "max_total_sequence_length": 64, "make_sequence_length_divisible_by": 1, "generation": {
                "backend": "vllm", "colocated": {"enabled": False, "resources": {"num_nodes": 1, "gpus_per_node": 1}}}},
        loss_fn=ClippedPGLossConfig(**{"reference_policy_kl_penalty": 0.05, **option}), env={},
        data={"use_multiple_dataloader": False},
        grpo={
            "num_prompts_per_step": 3, "num_generations_per_prompt": 2, "max_num_steps": 2, "max_num_epochs": 1,
            "max_rollout_turns": 1, "val_at_start": False, "val_at_end": False, "val_period": 0, "overlong_filtering": False,
            "use_dynamic_sampling": False, "use_leave_one_out_baseline": False, "normalize_rewards": True,
            "reward_scaling": {"enabled": False}, "reward_shaping": {"enabled": False}},
        logger={"wandb_enabled": False}, cluster={"num_nodes": 1, "gpus_per_node": 2},
        checkpointing={"enabled": False, "checkpoint_must_save_by": None, "save_period": 10})  # fmt: skip


def trained(policy, monkeypatch, **option):
    """Two steps of `grpo_train`; returns the numbers that it logged."""
    import ray
    from nemo_rl.algorithms import grpo
    from nemo_rl.algorithms.loss import ClippedPGLossFn
    from nemo_rl.utils import memory_tracker

    unused = types.SimpleNamespace(memory_info=lambda: types.SimpleNamespace(rss=0))
    monkeypatch.setattr(memory_tracker, "Process", lambda _: unused)
    monkeypatch.setattr(ray, "get", lambda found: [getattr(one, "value", one) for one in found], raising=False)
    config, logger = settings(**option), Logger()
    generation = Generation(policy)
    grpo.grpo_train(
        policy, generation, prompts(), None, Tokenizer(), ClippedPGLossFn(config.loss_fn), {"even": Environment()}, None, logger,
        None, grpo._default_grpo_save_state(), config)  # fmt: skip
    assert generation.refits == 2
    return logger.steps
