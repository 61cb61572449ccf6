"""Two gloo ranks under DistributedDataParallel: gradients of the whole batch, and no rank left waiting."""

import os
import tempfile

import numpy as np
import pytest
import tiny_model
from ranks import on_ranks

SETTINGS = {"coefficient": 1.0}
SECONDS = 300


def on_rank(rank, url, name, settings, pictures_of_row, given):
    """One rank of a training run: its gradients after the reduction, its parameters, what it logged."""
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}
    import plain
    import training

    from perception_client import Perception

    trainer = {"adapted": training.GRPO, "plain": plain.PlainGRPO}[name]
    with tempfile.TemporaryDirectory() as folder:
        run = training.train(
            trainer, folder, client=Perception(url, deadline=60), settings=settings,
            rows=tiny_model.rows(8, pictures_of_row), shuffle_dataset=False, ddp_find_unused_parameters=True, **given)  # fmt: skip
    losses = run.curve("perception/loss") if rank == 0 else []
    return np.stack([g.numpy() for g in run.gradients]), run.parameters.numpy(), losses


def trained(url, name, settings=SETTINGS, pictures_of_row=1, **given):
    found = on_ranks(2, on_rank, url, name, settings, pictures_of_row, given, seconds=SECONDS)
    assert np.array_equal(found[0][1], found[1][1]), "the ranks' parameters differ"
    return found[0]


def apart(found, expected):
    return max(np.linalg.norm(a - b) / np.linalg.norm(b) for a, b in zip(found[0], expected[0], strict=True))


def test_gradients_are_those_of_the_loss_in_process(url):
    expected = trained(url, "plain")
    assert apart(trained(url, "adapted"), expected) < 1e-5
    assert apart(trained(url, "adapted", SETTINGS | {"mode": "grad_cache"}), expected) < 1e-5


@pytest.mark.parametrize("mode", ["direct", "grad_cache"])
def test_a_rank_without_pictures_makes_the_same_passes(url, mode):
    """Prompts alternate between the ranks, and every other one has no picture."""
    settings = SETTINGS | {"mode": mode}
    found = trained(url, "adapted", settings, (1, 0), gradient_accumulation_steps=1)
    expected = trained(url, "plain", SETTINGS, (1, 0), gradient_accumulation_steps=1)
    assert apart(found, expected) < 1e-5 and len(found[2]) == 2


def losing_its_server(rank, url, mode, folder):
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}
    import training
    from scripted import free_port
    from transformers import TrainerCallback

    from perception_client import Perception

    client = Perception(url, deadline=5, on_error="skip")

    class Lose(TrainerCallback):
        def on_step_end(self, args, state, control, **_):
            if rank == 1 and state.global_step == 1:
                client._transport = Perception(f"http://127.0.0.1:{free_port()}", deadline=1)._transport

    run = training.train(
        training.GRPO, f"{folder}/{rank}", client=client, settings=SETTINGS | {"mode": mode}, callbacks=[Lose()])  # fmt: skip
    alone = training.train(training.GRPOTrainer, f"{folder}/{rank}", max_steps=1)
    return [float(g.norm()) for g in run.gradients], [float(g.norm()) for g in alone.gradients], client.skipped


@pytest.mark.parametrize("mode", ["direct", "grad_cache"])
def test_when_one_rank_loses_its_server_both_skip(url, tmp_path, mode):
    (first, alone, skipped), (second, _, skipped_too) = on_ranks(2, losing_its_server, url, mode, str(tmp_path), seconds=SECONDS)
    assert first == second and len(first) == 2
    # The second step is the trainer's own loss alone: two micro-batches skipped, and the views of one rank.
    assert skipped == 2 and skipped_too == 3
    assert first[0] > 2 * alone[0] and first[1] < 2 * alone[0]
