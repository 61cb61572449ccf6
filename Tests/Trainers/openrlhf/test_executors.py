"""Rollouts by OpenRLHF's executors with views, before any training."""

import asyncio
import types

import pytest
import rollouts
import torch
from openrlhf.utils.agent import AgentInstanceBase, MultiTurnAgentExecutor

import tiny_model
from perception_client.trainers.openrlhf import PerceptionMixin

VIEWS = ("preserving", "removing")


def views(response):
    return [response["mm_train_inputs"][f"perception_view_{view}"] for view in VIEWS]


def test_the_rollouts_of_a_prompt_have_the_same_views(executor, words):
    first, second = rollouts.responses(executor, words, tiny_model.rows(1, seed=40))
    for ours, others in zip(views(first), views(second), strict=True):
        assert ours.data_ptr() == others.data_ptr()
        assert ours.shape == first["mm_train_inputs"]["pixel_values"].shape
    assert not torch.equal(views(first)[1], first["mm_train_inputs"]["pixel_values"])


def test_each_time_that_a_picture_comes_again_it_is_drawn_anew_and_another_process_draws_the_same(executor, words, folder, url):
    other = rollouts.Executor(remote_rm_url=str(folder / "reward.py"), perception={"url": url, "seed": 3})
    drawn = [
        [views(rollouts.responses(e, words, tiny_model.rows(1, seed=41))[0])[1] for _ in range(2)] for e in (executor, other)
    ]
    assert torch.equal(drawn[0][0], drawn[1][0])
    assert torch.equal(drawn[0][1], drawn[1][1])
    assert not torch.equal(*drawn[0])


def test_a_prompt_without_pictures_has_no_views(executor, words):
    (response,) = rollouts.responses(executor, words, tiny_model.rows(1, 0), group=1)
    assert response["mm_train_inputs"] is None
    assert response["extra_logs"]["perception/views_waited"] == 0


def test_views_that_cannot_be_had_leave_the_originals_without_loss(words, restartable):
    made = rollouts.Executor(perception={"url": restartable.url, "on_error": "skip", "deadline": 1})
    assert made.groups(words).views.recipes
    restartable.kill()
    (response,) = rollouts.responses(made, words, tiny_model.rows(1), group=1)
    inputs = response["mm_train_inputs"]
    assert "perception_failed" in inputs
    assert all(torch.equal(view, inputs["pixel_values"]) for view in views(response))


class Shown(AgentInstanceBase):
    """An environment that shows two pictures, then ends."""

    def __init__(self):
        self.turn = 0

    async def step(self, states, **more):
        self.turn += 1
        text = "<|im_start|>user\n" + "<|vision_start|><|image_pad|><|vision_end|>" * 2 + "<|im_end|>\n"
        return {
            "rewards": torch.tensor(1.0), "environment_feedback": text if self.turn == 1 else "",
            "environment_images": tiny_model.pictures(2, seed=9) if self.turn == 1 else None, "done": self.turn == 2}


class Turns(PerceptionMixin, MultiTurnAgentExecutor):
    pass


@pytest.mark.parametrize(("room", "count"), [(512, 3), (75, 1)])
def test_pictures_of_later_turns_have_views_unless_openrlhf_has_no_room_for_them(words, url, room, count):
    made = Turns(Shown, perception={"url": url})
    (row,) = tiny_model.rows(1)
    response = asyncio.run(made.execute(
        prompt=rollouts.prompt_of(words, row), label="", sampling_params=types.SimpleNamespace(max_tokens=8, logprobs=None),
        max_length=room, hf_tokenizer=words, llm_engine=rollouts.Engine(words), images=row["images"]))  # fmt: skip
    inputs = response["mm_train_inputs"]
    assert len(inputs["image_grid_thw"]) == count
    for view in views(response):
        assert view.shape == inputs["pixel_values"].shape
