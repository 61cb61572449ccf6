"""Rollouts by the adapter's workflow, within AReaL's own groups. The inference engine alone is a stand-in."""

import asyncio
import random

from areal.api import ModelResponse
from areal.api.cli_args import GenerationHyperparameters
from areal.infra.remote_inf_engine import GroupedRolloutWorkflow
from areal.utils import logging
from areal.utils.hf_utils import load_hf_processor_and_tokenizer

import tiny_model
from perception_client.trainers.areal import PerceptionVisionRLVRWorkflow

GROUP = 2


class Engine:
    """Stands for SGLang or vLLM: random letters, as many as it likes."""

    def __init__(self, tokenizer, version=0, seed=0):
        self.version = version
        self.draw = random.Random(f"{seed} {version}")
        self.letters = tokenizer.encode("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")

    def get_version(self):
        return self.version

    async def agenerate(self, request):
        await asyncio.sleep(0)
        n = self.draw.randrange(6, 13)
        return ModelResponse(
            input_tokens=request.input_ids, output_tokens=self.draw.choices(self.letters, k=n),
            output_logprobs=[-4.0] * n, output_versions=[self.version] * n, stop_reason="stop",
            tokenizer=request.tokenizer, processor=request.processor)


def reward(prompt, completions, prompt_ids, completion_ids, **data):
    return tiny_model.lower_case([completions])[0] - 0.5


def data_of(processor, row):
    """A row of a data set as AReaL's own data sets have it."""
    parts = [{"type": "image"} for _ in row["images"]] + [{"type": "text", "text": row["prompt"][0]["content"]}]
    text = processor.apply_chat_template([{"role": "user", "content": parts}], tokenize=False, add_generation_prompt=True)
    return {"messages": text, "images": row["images"]}


def workflow(folder, cls=PerceptionVisionRLVRWorkflow, **setting):
    """The workflow with the real processor and a reward in a process of its own, as AReaL has it."""
    processor, tokenizer = load_hf_processor_and_tokenizer(str(folder))
    return cls(
        reward_fn=reward, gconfig=GenerationHyperparameters(max_new_tokens=16), tokenizer=tokenizer, processor=processor,
        enable_thinking=False, **setting)


def batch(made, version=0, rows=2, pictures_of_row=1, seed=0):
    """Trajectories of `rows` prompts with GROUP rollouts each, by AReaL's grouped workflow."""
    grouped = GroupedRolloutWorkflow(made, GROUP, logging.getLogger("test"))
    engine = Engine(made.tokenizer, version, seed)
    prompts = [data_of(made.processor, r) for r in tiny_model.rows(rows, pictures_of_row, seed=seed + 100 * version)]

    async def all_of_them():
        return await asyncio.gather(*[grouped.arun_episode(engine, p) for p in prompts])

    return asyncio.run(all_of_them())
