"""Which pictures get views, of which pixels, how often, and when."""

import threading
import time

import numpy as np
import pytest
import torch
from PIL import Image
from training import GRPO, made, train

import tiny_model
from perception_client.safetensors_file import decode
from perception_client.trainers import resizing
from perception_client.trainers.prompt_views import PromptViews

RECIPES = {"preserving": "cppo-preserving", "removing": "cppo-removing"}


class Wire:
    """What a client sends to /v1/perturb."""

    def __init__(self, client):
        self.requests = []
        send = client._transport.send

        def watched(call):
            if call.path.startswith("/v1/perturb"):
                self.requests.append(decode(b"".join(bytes(x) for x in call.pieces))[0])
            return send(call)

        client._transport.send = watched


def awkward():
    """Pictures of every mode that data sets hold, and one that is to be turned."""
    photograph, page = tiny_model.pictures(2)
    turned = photograph.copy()
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.info["exif"] = exif.tobytes()
    transparent = photograph.convert("RGBA")
    transparent.putalpha(Image.linear_gradient("L").resize(photograph.size))
    palette = page.convert("P")
    palette.info["transparency"] = 3
    return {"RGB": photograph, "L": page.convert("L"), "RGBA": transparent, "LA": transparent.convert("LA"), "P": palette,
            "EXIF": turned, "1": page.convert("1"), "CMYK": photograph.convert("CMYK")}  # fmt: skip


@pytest.mark.parametrize("kind", list(awkward()))
def test_the_original_is_what_the_processor_makes_of_it(client, kind):
    """Orientation and transparency are as the trainer has them, because it is the trainer's processor that made them."""
    processor, picture = tiny_model.processor(), awkward()[kind]
    own = processor.image_processor(images=[picture], return_tensors="pt")
    found = PromptViews(client, RECIPES, processor=processor).make([[picture]], 0)
    again = found.features("original", 0)
    assert torch.equal(again["pixel_values"], own["pixel_values"]) and torch.equal(again["image_grid_thw"], own["image_grid_thw"])
    assert not torch.equal(found.features("removing", 0)["pixel_values"], own["pixel_values"])


def test_views_are_made_after_the_resize_and_sent_as_bytes(client, tmp_path):
    """Large pictures are sent as small as the model sees them: U8, multiples of 28 pixels."""
    wire = Wire(client)
    rows = [{"prompt": r["prompt"], "images": [r["images"][0].resize((640, 480))]} for r in tiny_model.rows(4)]
    train(GRPO, tmp_path, rows=rows, client=client, max_steps=1)
    sent = [tensor for request in wire.requests for tensor in request.values()]
    assert sent
    for tensor in sent:
        height, width, channels = tensor.shape
        assert tensor.dtype == "U8" and channels == 3 and height % 28 == 0 and width % 28 == 0
        assert height * width <= 28 * 28 * 24


def test_a_prompts_rollouts_share_one_draw(client, tmp_path):
    """Eight rollouts of two prompts: two pictures are sent, and each rollout has the views of its prompt."""
    wire = Wire(client)
    trainer = made(GRPO, tmp_path, client=client, max_steps=1)
    batches, loss = [], trainer._perception_steps.loss
    trainer._perception_steps.loss = lambda own, model, batch: batches.append(batch) or loss(own, model, batch)
    trainer.train()
    assert sum(len(request) for request in wire.requests) == 2
    views = [x for batch in batches for x in batch["perception.removing"]]
    assert len(views) == 8 and len({x.numpy().tobytes() for x in views}) == 2


def test_a_view_for_each_rollout_when_asked_for(client, tmp_path):
    trainer = made(GRPO, tmp_path, client=client, settings={"per_rollout": True}, max_steps=1)
    batches, loss = [], trainer._perception_steps.loss
    trainer._perception_steps.loss = lambda own, model, batch: batches.append(batch) or loss(own, model, batch)
    trainer.train()
    assert len({x.numpy().tobytes() for batch in batches for x in batch["perception.removing"]}) == 8


def test_draws_depend_on_seed_step_and_content_alone(client):
    processor = tiny_model.processor()
    first, second = tiny_model.pictures(2)

    def drawn(rows, step, seed=0):
        found = PromptViews(client, RECIPES, processor=processor, seed=seed).make(rows, step)
        return [found.features("removing", i)["pixel_values"] for i in range(len(rows))]

    there, back = drawn([[first], [second]], 3), drawn([[second], [first.copy()], [second]], 3)
    assert torch.equal(there[0], back[1]) and torch.equal(there[1], back[0]) and torch.equal(back[0], back[2])
    assert not torch.equal(there[0], drawn([[first]], 4)[0]) and not torch.equal(there[0], drawn([[first]], 3, seed=1)[0])


def test_views_are_made_while_the_trainer_generates(client, tmp_path):
    """The slower views are, the longer generation would have to be for a step to wait."""
    views, seen = client.views, []

    def slow(*rest, **named):
        seen.append(threading.current_thread().name)
        time.sleep(0.3)
        return views(*rest, **named)

    client.views = slow
    run = train(GRPO, tmp_path, client=client, max_steps=2)
    assert all(name.startswith("perception-views") for name in seen) and len(seen) == 2
    assert min(run.curve("perception/views_seconds")) > 0.3
    assert max(run.curve("perception/views_waited_seconds")) < 0.3


def test_a_processor_that_is_not_known_is_refused():
    class Strange:
        """Gives its own pictures other pixels than those that are resized already."""

        merge_size, patch_size = 1, 2

        def __call__(self, images, **how):
            value = 0.0 if "do_resize" in how else 1.0
            return {"pixel_values": torch.full((8, 24), value), "image_grid_thw": torch.tensor([[1, 2, 4]])}

    with pytest.raises(TypeError, match="Strange arranges its pixels"):
        resizing.verify(Strange(), Image.fromarray(np.zeros((8, 8, 3), np.uint8)))
