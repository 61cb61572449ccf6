"""`views` of tensors: layout, element type and device come back."""

import numpy as np
import pytest
import torch
from PIL import Image

from features import FIXTURES


@pytest.fixture
def pixels():
    return torch.tensor(np.asarray(Image.open(FIXTURES / "photograph.jpg").convert("RGB").resize((112, 84))))


def test_tensors_come_back_as_they_went_in(client, pixels):
    first = pixels.permute(2, 0, 1)
    views = client.views([first, pixels, first.float() / 255, first.bfloat16() / 255], seed=3).removing
    assert [v.shape for v in views] == [(3, 84, 112), (84, 112, 3), (3, 84, 112), (3, 84, 112)]
    assert [v.dtype for v in views] == [torch.uint8, torch.uint8, torch.float32, torch.bfloat16]
    assert torch.equal(views[0], views[1].permute(2, 0, 1))
    assert torch.equal((views[2] * 255).round().to(torch.uint8), views[0])


def test_they_equal_what_pillow_images_get(client, pixels):
    image = Image.fromarray(pixels.numpy())
    views = client.views([pixels, image], seed=3).removing
    assert np.array_equal(views[0].numpy(), np.asarray(views[1]))


def test_grey_tensors_keep_one_channel(client):
    grey = torch.arange(56 * 56).reshape(1, 56, 56).to(torch.uint8)
    assert client.views([grey], seed=1).preserving[0].shape == (1, 56, 56)


def test_a_narrow_picture_of_three_columns_is_channels_first(client):
    assert client.views([torch.zeros(3, 40, 3, dtype=torch.uint8)], 1, ["papo-removing"]).removing[0].shape == (3, 40, 3)
