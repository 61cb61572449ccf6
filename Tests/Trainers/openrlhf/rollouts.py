"""Rollouts by OpenRLHF's own executors with the adapter's mixin, as Experiences. vLLM alone is a stand-in."""

import asyncio
import random
import types

import stand_ins  # noqa: F401
import torch
from openrlhf.trainer.ppo_utils.samples_generator import SamplesGenerator
from openrlhf.utils.agent import SingleTurnAgentExecutor
from openrlhf.utils.utils import get_tokenizer
from openrlhf.utils.vlm_utils import merge_mm_train_inputs

import tiny_model
from perception_client.trainers.openrlhf import PerceptionMixin

GROUP = 2
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
REWARD = """
def reward_func(queries, prompts, labels):
    said = [q.rsplit("assistant", 1)[1].strip() for q in queries]
    (one,) = said
    return {"rewards": sum(c.islower() for c in one) / max(1, len(one))}
"""


class Executor(PerceptionMixin, SingleTurnAgentExecutor):
    pass


class Engine:
    """Stands for a vLLM engine: random letters, as many as it likes."""

    def __init__(self, processor, seed=0):
        self.draw = random.Random(seed)
        self.letters = processor.tokenizer.encode(LETTERS)

    async def generate(self, prompt_token_ids, sampling_params, multi_modal_data=None):
        await asyncio.sleep(0)
        tokens = self.draw.choices(self.letters, k=self.draw.randrange(6, 13))
        output = types.SimpleNamespace(token_ids=tokens, text="said", finish_reason="stop", logprobs=None)
        return types.SimpleNamespace(outputs=[output])


def processor(folder):
    """As OpenRLHF makes it."""
    return get_tokenizer(str(folder), None)


def prompt_of(words, row):
    parts = [{"type": "image"} for _ in row["images"]] + [{"type": "text", "text": row["prompt"][0]["content"]}]
    return words.apply_chat_template([{"role": "user", "content": parts}], tokenize=False, add_generation_prompt=True)


def responses(executor, words, rows, seed=0, group=GROUP):
    """What vLLM's actor gathers: `group` rollouts of each prompt, at the same time."""
    engine = Engine(words, seed)
    sampling = types.SimpleNamespace(max_tokens=16, logprobs=None)

    async def all_of_them():
        return await asyncio.gather(*[
            executor.execute(
                prompt=prompt_of(words, row), label="", sampling_params=sampling, max_length=512, hf_tokenizer=words,
                llm_engine=engine, images=row["images"] or None)
            for row in rows for _ in range(group)
        ])  # fmt: skip

    return asyncio.run(all_of_them())


def experiences(executor, words, actor, rows=2, pictures_of_row=1, seed=0):
    """Experiences of one row each, with the actor's log-probabilities and each group's advantages."""
    said = responses(executor, words, tiny_model.rows(rows, pictures_of_row, seed), seed)
    # OpenRLHF's own conversion needs nothing of the generator that it belongs to.
    made = [SamplesGenerator._process_response_into_experience(None, r, max_len=512) for r in said]
    rewards = torch.tensor([r["reward"] for r in said]).reshape(-1, GROUP)
    advantages = ((rewards - rewards.mean(1, keepdim=True)) / (rewards.std(1, keepdim=True) + 1e-9)).reshape(-1)
    for one, advantage in zip(made, advantages, strict=True):
        with torch.no_grad():
            one.action_log_probs = actor(
                one.sequences, one.action_mask, one.attention_mask,
                **merge_mm_train_inputs(one.mm_train_inputs, "cpu"))
        one.action_mask = one.action_mask.bool()
        one.advantages = advantage.expand(one.action_mask.shape).clone()
        one.info = {k: v for k, v in one.info.items() if k != "score"}
    return made

