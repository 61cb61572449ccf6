"""Rollouts by AReaL's grouped workflow with views, before any training."""

import asyncio

import pytest
import rollouts
import torch
from areal import workflow_context
from areal.api import RolloutWorkflow
from areal.infra.workflow_context import WorkflowContext
from areal.utils import stats_tracker
from areal.utils.dynamic_import import import_from_string

import tiny_model
from perception_client.trainers.areal import PerceptionMixin

VIEWS = ("preserving", "removing")


def columns(trajectory):
    return {view: trajectory[f"multi_modal_input_view_{view}"] for view in VIEWS}


def test_the_rollouts_of_a_group_have_the_same_views(workflow):
    for trajectory in rollouts.batch(workflow):
        own = trajectory["multi_modal_input"]
        for view, entries in columns(trajectory).items():
            assert len(entries) == rollouts.GROUP
            assert entries[0]["pixel_values"].data_ptr() == entries[1]["pixel_values"].data_ptr()
            assert torch.equal(entries[0]["image_grid_thw"], own[0]["image_grid_thw"])
            # A sixth of the preserving views equal their picture.
            changed = not torch.equal(entries[0]["pixel_values"], own[0]["pixel_values"])
            assert changed or view == "preserving"


def test_views_follow_from_picture_and_version(workflow, folder, url):
    def removing(made, version):
        engine = rollouts.Engine(made.tokenizer, version)
        data = rollouts.data_of(made.processor, tiny_model.rows(1)[0])
        return columns(asyncio.run(made.arun_episode(engine, data)))["removing"][0]["pixel_values"]

    other = rollouts.workflow(folder, perception={"url": url, "seed": 3})
    assert torch.equal(removing(workflow, 5), removing(other, 5))
    assert not torch.equal(removing(workflow, 5), removing(workflow, 6))


def test_several_pictures_of_a_prompt(workflow):
    (trajectory,) = rollouts.batch(workflow, rows=1, pictures_of_row=3)
    for entries in columns(trajectory).values():
        assert len(entries[0]["image_grid_thw"]) == 3
        assert entries[0]["pixel_values"].shape == trajectory["multi_modal_input"][0]["pixel_values"].shape


def test_evaluation_makes_no_views(workflow):
    async def evaluated():
        workflow_context.set(WorkflowContext(is_eval=True))
        data = rollouts.data_of(workflow.processor, tiny_model.rows(1)[0])
        return await workflow.arun_episode(rollouts.Engine(workflow.tokenizer), data)

    assert not any("view" in name for name in asyncio.run(evaluated()))


def test_a_prompt_without_pictures_is_refused_by_the_workflow_for_pictures(workflow):
    with pytest.raises(ValueError, match="this prompt has no picture, and AReaL's VisionRLVRWorkflow takes none without"):
        rollouts.batch(workflow, rows=1, pictures_of_row=0)


class Tools(RolloutWorkflow):
    """A workflow whose tool returns pictures; `told`: it says so."""

    def __init__(self, processor, told=True):
        self.processor = processor
        self.told = told

    async def arun_episode(self, engine, data):
        found = tiny_model.pictures(2, seed=9)
        if self.told:
            self.another_turn(found)
        pictures = [*data["images"], *found]
        seen = self.processor.image_processor(images=pictures, return_tensors="pt")
        return {"input_ids": torch.zeros(1, 5), "multi_modal_input": [dict(seen)]}


class WithTools(PerceptionMixin, Tools):
    pass


def turns(processor, url, **how):
    made = WithTools(processor, perception={"url": url}, **how)
    return asyncio.run(made.arun_episode(rollouts.Engine(processor.tokenizer), tiny_model.rows(1)[0]))


def test_pictures_that_tools_bring_have_views(workflow, url):
    row = turns(workflow.processor, url)
    own = row["multi_modal_input"][0]
    for (entry,) in columns(row).values():
        assert torch.equal(entry["image_grid_thw"], own["image_grid_thw"])
        assert len(entry["image_grid_thw"]) == 3


def test_pictures_that_nobody_told_of_are_refused(workflow, url):
    with pytest.raises(ValueError, match="the rollout has 3 pictures, and views were begun for 1: add the pictures of every"):
        turns(workflow.processor, url, told=False)


def test_views_that_cannot_be_had_leave_the_originals_without_loss(workflow, folder, restartable, batches):
    made = rollouts.workflow(folder, perception={"url": restartable.url, "on_error": "skip", "deadline": 1})
    assert made.groups.views.recipes
    restartable.kill()
    (trajectory,) = rollouts.batch(made, rows=1)
    for entries in columns(trajectory).values():
        assert all(entry["failed"] for entry in entries)
        assert torch.equal(entries[0]["pixel_values"], trajectory["multi_modal_input"][0]["pixel_values"])


def test_how_long_rollouts_wait_is_among_areals_statistics(workflow):
    stats_tracker.export_all()
    rollouts.batch(workflow, rows=1)
    assert stats_tracker.export_all()["rollout/perception/views_waited"] >= 0


@pytest.mark.parametrize("name", ["PerceptionPPOActor", "PerceptionPPOTrainer", "PerceptionVisionRLVRWorkflow"])
def test_import_strings_find_them(name):
    assert import_from_string(f"perception_client.trainers.areal.{name}").__name__ == name
