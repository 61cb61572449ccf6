"""Batches of rows with and without pictures, as NeMo-RL flattens them by itself and with the adapter."""

import pytest
import torch

from small_pictures import WORDS, Processor


def row(picture=None, tokens=4):
    """A prompt and its answer, as NeMo-RL's processors and rollouts leave them."""
    from batches import picture as opened
    from nemo_rl.data.multimodal_utils import PackedTensor

    asked = {"role": "user", "content": "", "token_ids": torch.randint(1, WORDS, (tokens,))}
    if picture is not None:
        inputs = Processor()(images=[opened(picture)])
        asked |= {key: PackedTensor(value, dim_to_pack=0) for key, value in inputs.items()}
        asked["mm_token_type_ids"] = torch.ones(tokens, dtype=torch.long)
    return [asked, {"role": "assistant", "content": "", "token_ids": torch.randint(1, WORDS, (3,))}]


def flatten():
    from nemo_rl.data import llm_message_utils

    return llm_message_utils.batched_message_log_to_flat_message


@pytest.fixture
def alone():
    """NeMo-RL's own function."""
    return getattr(flatten(), "__wrapped__", flatten())


@pytest.fixture
def completing(installed):
    from workers import Policy

    installed(Policy())
    return flatten()


def test_nemo_rl_alone_fails_or_loses_the_pictures(alone):
    """Why its function is wrapped."""
    with pytest.raises(AttributeError, match="dim_to_pack"):
        alone([row("page.png"), row()])
    found, _ = alone([row(), row("page.png")])
    assert "pixel_values" not in found.get_multimodal_dict()


@pytest.mark.parametrize("names", [("page.png", None, "photograph.jpg"), (None, "page.png", None)])
def test_rows_keep_their_pictures_in_any_order(completing, names):
    logs = [row(name) for name in names]
    before = [[set(message) for message in log] for log in logs]
    found, lengths = completing(logs)
    given = found.get_multimodal_dict()
    assert given.keys() == {"pixel_values", "image_grid_thw", "mm_token_type_ids"} and lengths.tolist() == [7, 7, 7]
    for log, name, pixels, marks in zip(logs, names, given["pixel_values"].tensors, given["mm_token_type_ids"], strict=True):
        assert (pixels is None) == (name is None)
        assert pixels is None or torch.equal(pixels, log[0]["pixel_values"].tensors[0])
        assert marks.tolist() == [int(name is not None)] * 4 + [0] * 3
    assert [[set(message) for message in log] for log in logs] == before


def test_batches_of_one_kind_stay_as_they_are(completing, alone):
    for names in ((None, None), ("page.png", "photograph.jpg")):
        logs = [row(name) for name in names]
        (found, lengths), (expected, same) = completing(logs), alone(logs)
        assert found.keys() == expected.keys() and torch.equal(lengths, same)
        assert torch.equal(found["token_ids"], expected["token_ids"])


def test_every_module_of_nemo_rl_has_one_wrapper(completing, installed):
    from nemo_rl.algorithms import grpo
    from nemo_rl.experience import rollouts
    from workers import Policy

    installed(Policy())
    assert flatten() is completing is grpo.batched_message_log_to_flat_message is rollouts.batched_message_log_to_flat_message
    assert not hasattr(completing.__wrapped__, "__wrapped__")
