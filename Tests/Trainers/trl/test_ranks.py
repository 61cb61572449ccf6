"""Two gloo ranks under DistributedDataParallel: gradients of the whole batch, and no rank left waiting."""

import os
import tempfile

import numpy as np
import pytest
import transformers
from ranks import on_ranks

import tiny_model

SETTINGS = {"coefficient": 1.0}
SECONDS = 500


def environment(rank):
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}


def trained(rank, url, pictures_of_row, given):
    """One rank of three training runs: in the process, direct, grad_cache: gradients after the reduction, and parameters."""
    environment(rank)
    import plain
    import training

    from perception_client import Perception

    found = []
    for trainer, mode in ((plain.PlainGRPO, "direct"), (training.GRPO, "direct"), (training.GRPO, "grad_cache")):
        with tempfile.TemporaryDirectory() as folder:
            run = training.train(
                trainer, folder, client=Perception(url, deadline=60), settings=SETTINGS | {"mode": mode},
                rows=tiny_model.rows(8, pictures_of_row), shuffle_dataset=False, ddp_find_unused_parameters=True, **given)  # fmt: skip
        losses = run.curve("perception/loss") if rank == 0 else None
        found.append((np.stack([g.numpy() for g in run.gradients]), run.parameters.numpy(), losses))
    return found


def check(url, pictures_of_row, **given):
    ranks = on_ranks(2, trained, url, pictures_of_row, given, seconds=SECONDS)
    for first, second in zip(*ranks, strict=True):
        assert np.array_equal(first[1], second[1]), "the ranks' parameters differ"
    expected, *adapted = ranks[0]
    for found in adapted:
        assert len(found[2]) == len(found[0]) == 2
        for a, b in zip(found[0], expected[0], strict=True):
            assert np.linalg.norm(a - b) < 1e-5 * np.linalg.norm(b)


def test_gradients_are_those_of_the_loss_in_process(url):
    check(url, 1)


@pytest.mark.skipif(
    transformers.__version__.startswith("5.3."), reason="transformers 5.3 runs no text after pictures: see test_rows.py")  # fmt: skip
def test_a_rank_without_pictures_makes_the_same_passes(url):
    """Prompts alternate between the ranks, and every other one has no picture.

    TRL gathers pictures for its log on the ranks that have some, and the others never come: its log is without them here.
    """
    import inspect

    from trl import GRPOConfig

    quiet = {"log_multimodal": False} if "log_multimodal" in inspect.signature(GRPOConfig).parameters else {}
    check(url, (1, 0), gradient_accumulation_steps=1, **quiet)


def losing_its_server(rank, url):
    environment(rank)
    import training
    from scripted import free_port
    from transformers import TrainerCallback

    from perception_client import Perception

    class Lose(TrainerCallback):
        def on_step_end(self, args, state, control, **_):
            if rank == 1 and state.global_step == 1:
                client._transport = Perception(f"http://127.0.0.1:{free_port()}", deadline=1)._transport

    found = []
    with tempfile.TemporaryDirectory() as folder:
        for mode in ("direct", "grad_cache"):
            client = Perception(url, deadline=5, on_error="skip")
            settings = SETTINGS | {"mode": mode}
            run = training.train(training.GRPO, folder, client=client, settings=settings, callbacks=[Lose()])
            found.append(([float(g.norm()) for g in run.gradients], client.skipped))
        alone = training.train(training.GRPOTrainer, folder, max_steps=1)
    return found, float(alone.gradients[0].norm())


def test_when_one_rank_loses_its_server_both_skip(url):
    (first, alone), (second, _) = on_ranks(2, losing_its_server, url, seconds=SECONDS)
    for (norms, skipped), (norms_too, skipped_too) in zip(first, second, strict=True):
        # The second step is the trainer's own loss alone: two micro-batches skipped, and the views of one rank.
        assert norms == norms_too and (skipped, skipped_too) == (2, 3)
        assert norms[0] > 2 * alone and norms[1] < 2 * alone
