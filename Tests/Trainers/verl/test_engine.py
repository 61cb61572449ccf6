"""verl's engine alone: three optimizer steps of it end where the loss in plain PyTorch ends."""

import subprocess
import sys

import plain_steps
import pytest
import torch

CLOSE = 1e-5


@pytest.fixture(scope="module")
def words(folder):
    from transformers import AutoProcessor

    return AutoProcessor.from_pretrained(folder)


@pytest.fixture(scope="module")
def rows(words, url):
    """Eight rows with the views that the agent loop's own code makes: both other views, whatever the preset."""
    import mini_batch
    from perception_client.trainers.settings import TrainerSettings

    return mini_batch.sequences(words, views=mini_batch.views(words, TrainerSettings(url=url)))


@pytest.fixture(scope="module")
def plain(folder, rows, tmp_path_factory):
    """Parameters after three steps without a server and without verl, by preset; `none` is the policy loss alone."""
    place = tmp_path_factory.mktemp("plain")
    torch.save(rows, place / "rows.pt")
    subprocess.run(
        [sys.executable, plain_steps.__file__, folder, place / "rows.pt", place / "out.pt", "none", "cppo-verl", "papo-g"],
        check=True)  # fmt: skip
    return torch.load(place / "out.pt")


@pytest.mark.parametrize("preset", ["cppo-verl", "papo-g"])
@pytest.mark.parametrize("mode", ["direct", "grad_cache"])
@pytest.mark.parametrize("cut", ["whole", "micro-batches", "dynamic"])
def test_three_steps_end_where_plain_torch_ends(group, folder, words, rows, plain, settings, preset, mode, cut):
    """Rows with one picture, with two and with none; micro-batches of one kind and mixed ones."""
    import mini_batch
    import training

    settings(preset=preset, mode=mode)
    sizes = {
        "whole": {"micro_batch_size_per_gpu": 8},
        "micro-batches": {"micro_batch_size_per_gpu": 2},
        "dynamic": {"use_dynamic_bsz": True, "max_token_len_per_gpu": 200},
    }
    engine = training.engine(folder)
    assert type(engine).__name__ == "PerceivingEngine"
    data = mini_batch.tensordict(rows, words, **sizes[cut])
    start = training.parameters(engine)
    said = training.steps(engine, data)
    found = training.parameters(engine)
    assert training.apart(found, plain[preset]) < CLOSE
    # The perception loss does something that the tolerance would show.
    assert training.apart(plain[preset], plain["none"]) > 20 * CLOSE
    assert training.moved(found, start) > 100 * CLOSE
    assert all(len(step["perception/loss"].values) == len(step["actor/pg_loss"].values) for step in said)


