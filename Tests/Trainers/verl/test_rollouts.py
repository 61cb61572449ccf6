"""verl's agent loop worker makes the views while the rollout engine generates, and its batch trains the actor.

The engine is a stand-in that answers with random tokens after a while: vLLM and SGLang need a GPU.
"""

import asyncio
import copy
import time

import numpy as np
import pytest
import qwen_vl_utils
import torch

import tiny_model
from perception_client import Perception
from perception_client.trainers.resizing import features, resized
from perception_client.trainers.verl import rows as carriers

PATIENCE = 60.0


class Engine:
    """What AgentLoopWorker needs of an LLMServerClient.

    Args:
        until: generation lasts until this holds.
    """

    def __init__(self, until=lambda: True):
        self.until = until
        self.draw = torch.Generator().manual_seed(5)

    async def generate(self, request_id, *, prompt_ids, sampling_params, **more):
        from verl.workers.rollout.replica import TokenOutput

        deadline = time.monotonic() + PATIENCE
        while not self.until():
            assert time.monotonic() < deadline, "the views are not made while the engine generates"
            await asyncio.sleep(0.01)
        ids = torch.randint(10, 200, (9,), generator=self.draw).tolist()
        return TokenOutput(token_ids=ids, log_probs=[-5.5] * len(ids), stop_reason="completed")


@pytest.fixture
def calls(monkeypatch):
    """Every call of `Perception.views` in this process that is over: how many pictures it was about."""
    seen = []
    views = Perception.views

    def counted(self, images, *given, **more):
        made = views(self, images, *given, **more)
        seen.append(len(images))
        return made

    monkeypatch.setattr(Perception, "views", counted)
    return seen


def message(pictures, text="What is this?"):
    return [{"role": "user", "content": [{"type": "image", "image": p} for p in pictures] + [{"type": "text", "text": text}]}]


def prompts():
    """Three prompts of two rollouts each: one picture, two pictures, none. verl repeats a prompt before generation."""
    found = [message(tiny_model.pictures(n, seed=30 + n)) for n in (1, 2)]
    found.append([{"role": "user", "content": "Just say something."}])
    return [found[i // 2] for i in range(6)]


def generated(folder, validate=False, step=7, until=lambda: True):
    """The batch that verl's trainer gets of its agent loop; generation lasts until `until()` holds."""
    import configuration
    from verl.experimental.agent_loop.agent_loop import AgentLoopWorker
    from verl.protocol import DataProto

    async def run():
        worker = AgentLoopWorker(configuration.composed(folder), Engine(until))
        raw = np.empty(6, dtype=object)
        raw[:] = prompts()
        batch = DataProto.from_dict(
            non_tensors={"raw_prompt": raw, "index": np.array([0, 0, 1, 1, 2, 2]), "uid": np.array(list("aabbcc"), dtype=object)},
            meta_info={"global_steps": step, "validate": validate})  # fmt: skip
        return await worker.generate_sequences(batch)

    return asyncio.run(run())


def views_of(row):
    return {k: v for k, v in row.items() if k.startswith("perception.")}


def test_a_prompts_rollouts_share_views_that_are_made_during_generation(folder, words, settings, client, calls):
    settings(preset="cppo-verl", seed=3)
    batch = generated(folder, until=lambda: len(calls) == 2)
    found = batch.non_tensor_batch["multi_modal_inputs"]
    assert calls == [1, 2], "each prompt's pictures are sent once"
    for row in found[:4]:
        assert row["perception.carries"].all()
        # A preserving view may draw no change at all.
        assert row["perception.preserving.pixel_values"].shape == row["pixel_values"].shape
        removing = row["perception.removing.pixel_values"]
        assert removing.shape == row["pixel_values"].shape and not torch.equal(removing, row["pixel_values"])
    for first, second in ((found[0], found[1]), (found[2], found[3])):
        for name, value in views_of(first).items():
            assert name == carriers.WAITED or torch.equal(second[name], value)
    assert not views_of(found[4]) and not views_of(found[5])
    # They are the views that the server makes of the picture as verl's data set and the processor have resized it.
    images, _ = qwen_vl_utils.process_vision_info(prompts()[0], image_patch_size=14)
    (picture,) = resized(words, images)
    (view,) = client.views([picture], (3 << 32) + 7, {"removing": "cppo-removing"}).removing
    assert torch.equal(found[0]["perception.removing.pixel_values"], features(words, [view])[0]["pixel_values"])


def test_a_preset_gets_the_views_it_needs(folder, settings, calls):
    settings(preset="papo-g")
    batch = generated(folder)
    assert "perception.removing.pixel_values" in batch.non_tensor_batch["multi_modal_inputs"][0]
    assert "perception.preserving.pixel_values" not in batch.non_tensor_batch["multi_modal_inputs"][0]


def test_each_rollout_may_have_its_own_draw(folder, settings, calls):
    settings(per_rollout=1)
    batch = generated(folder)
    first, second = batch.non_tensor_batch["multi_modal_inputs"][:2]
    name = "perception.removing.pixel_values"
    assert calls == [1, 1, 2, 2] and not torch.equal(first[name], second[name])


def test_validation_gets_none(folder, settings, calls):
    settings()
    batch = generated(folder, validate=True)
    assert not calls and not any(views_of(row) for row in batch.non_tensor_batch["multi_modal_inputs"])


def trained(worker_batch, folder, epochs=1):
    """What the actor's worker says of the batch, as RayPPOTrainer._update_actor sends it."""
    import configuration
    from verl.utils import tensordict_utils as tu
    from verl.workers.engine_workers import ActorRolloutRefWorker
    from verl.workers.utils.padding import left_right_2_no_padding

    config = configuration.composed(folder, "actor_rollout_ref.actor.ppo_mini_batch_size=6")
    actor = ActorRolloutRefWorker(config=config.actor_rollout_ref, role="actor")
    actor.init_model()
    batch = worker_batch.batch
    batch["old_log_probs"] = torch.full_like(batch["responses"], -5.5, dtype=torch.float32)
    batch["advantages"] = torch.tensor([1.0, -1, 1, -1, 1, -1])[:, None] * batch["response_mask"]
    worker_batch.meta_info["temperature"] = 0.9
    data = left_right_2_no_padding(worker_batch.to_tensordict())
    # A micro-batch for all: verl 0.9.1's own forward pass fails on one without pictures.
    tu.assign_non_tensor(
        data, calculate_entropy=False, global_batch_size=6, mini_batch_size=6, epochs=epochs, seed=1,
        micro_batch_size_per_gpu=6, dataloader_kwargs={"shuffle": False}, compute_loss=True)  # fmt: skip
    return tu.get(actor.update_actor(data), "metrics")


def test_the_batch_trains_the_actor(group, folder, settings):
    settings()
    batch = generated(folder)
    said = trained(batch, folder)
    assert said["perception/tokens"] == [4 * 9] and said["perception/gated"][0] > 0
    waited = max(float(row["perception.waited"]) for row in batch.non_tensor_batch["multi_modal_inputs"][:4])
    assert said["perception/views_waited_s"] == [waited]


def test_vppo_changes_the_advantages_of_a_padded_batch(group, folder, settings):
    """RayPPOTrainer's advantages are padded tensors; the policy loss is another one with the same rollouts and model."""
    settings(preset="papo-g")
    batch = generated(folder)
    own = trained(copy.deepcopy(batch), folder)
    settings(preset="vppo")
    shaped = trained(copy.deepcopy(batch), folder)
    assert shaped["perception/tokens"] == own["perception/tokens"] == [4 * 9]
    assert 0 < shaped["perception/gated"][0] < 4 * 9
    assert abs(shaped["actor/pg_loss"][0] - own["actor/pg_loss"][0]) > 1e-3


def test_without_a_server_the_training_step_says_why(group, folder, settings, url, monkeypatch):
    """verl goes on without the prompts whose rollout raises, so the agent loop hands the reason to the engine."""
    settings(url="http://127.0.0.1:9", deadline=0.3)
    batch = generated(folder)
    settings(url=url)
    with pytest.raises(carriers.ViewsMissing, match=r"could not make a row's views: Unreachable: http://127.0.0.1:9: no answer"):
        trained(batch, folder)


def test_skipping_trains_on_without_the_loss(group, folder, settings, monkeypatch):
    settings(on_error="skip")
    from perception_client.errors import Unreachable

    def away(self, *_, **__):
        raise Unreachable("http://127.0.0.1:9: no answer", 1)

    monkeypatch.setattr(Perception, "views", away)
    batch = generated(folder)
    assert not any(row["perception.carries"].any() for row in batch.non_tensor_batch["multi_modal_inputs"][:4])
    said = trained(batch, folder)
    assert "perception/loss" not in said and said["actor/pg_loss"] and said["perception/rows_without_views"] == [4]


def test_pictures_without_views_are_refused(group, folder, settings, monkeypatch):
    """As when the agent loop's workers run without the plugin."""
    settings()
    batch = generated(folder, validate=True)
    with pytest.raises(carriers.ViewsMissing, match="VERL_ENGINE_VENDOR=perception in the environment of every Ray worker"):
        trained(batch, folder)


def test_other_grids_are_refused(folder, settings, monkeypatch):
    """A processor set up otherwise than the trainer's would give a view another number of image tokens."""
    settings()
    from perception_client.trainers.verl import rollouts

    def other(self, processor, given=None):
        original(self, tiny_model.processor(max_pixels=28 * 28 * 8), given)

    original = rollouts.WorkerViews.__init__
    monkeypatch.setattr(rollouts.WorkerViews, "__init__", other)
    batch = generated(folder)
    assert any(b"image_grid_thw" in bytes(row[carriers.FAILURE].tolist()) for row in batch.non_tensor_batch["multi_modal_inputs"][:4])


def test_verls_default_trainer_stores_the_views_with_each_rollout(folder, settings, calls, monkeypatch):
    """Its agent loop worker (AgentLoopWorkerTQ) runs the rollouts of a prompt itself and puts them into TransferQueue.

    The queue is replaced by a list: it runs in Ray.
    """
    import configuration
    from tensordict import NonTensorData, TensorDict
    from tensordict.tensorclass import NonTensorStack
    from verl.trainer.ppo.v1 import agent_loop_tq

    settings()
    stored = []

    async def put(keys, fields, **_):
        stored.append((keys, fields))

    async def status(**_):
        pass

    monkeypatch.setattr(agent_loop_tq.tq, "init", lambda: None)
    monkeypatch.setattr(agent_loop_tq.tq, "async_kv_batch_put", put)
    monkeypatch.setattr(agent_loop_tq.tq, "async_kv_put", status)

    async def run():
        worker = agent_loop_tq.AgentLoopWorkerTQ.__ray_actor_class__(configuration.composed(folder), Engine())
        three = prompts()[::2]
        batch = TensorDict({
            "raw_prompt": NonTensorStack(*[NonTensorData(p) for p in three]),
            "uid": NonTensorStack(*"abc"), "index": torch.arange(3),
            "global_steps": NonTensorData(7),
        }, batch_size=[3])  # fmt: skip
        await worker.generate_sequences(batch)
        await asyncio.gather(*worker.background_tasks)

    asyncio.run(run())
    assert sorted(key for keys, _ in stored for key in keys) == [f"{p}_{i}_0" for p in "abc" for i in (0, 1)]
    assert calls == [1, 2]
    inputs = {keys[0]: fields["multi_modal_inputs"][0] for keys, fields in stored}
    inputs = {key: getattr(value, "data", value) for key, value in inputs.items()}
    name = "perception.removing.pixel_values"
    assert torch.equal(inputs["a_0_0"][name], inputs["a_1_0"][name]) and name not in inputs["c_0_0"]
