"""Three steps of the real trainer against the same loss in the process."""

import pytest
import torch
from for_tests import LowerCase
from plain import PlainGRPO
from training import apart, farthest, own_trainer, train

CLOSE = 1e-5
# So large that the perception loss is most of the gradient: at 0.01 the policy loss would hide its mistakes.
SETTINGS = {"coefficient": 1.0}
# Its removing view has a gradient, and the scale is of what the old policy says of it.
SCALED = SETTINGS | {"options": {"advantage_shaping": "dependency"}}
PAPO = SETTINGS | {"preset": "papo-g"}


def both(url, client, folder, output, settings=SETTINGS, **given):
    found = train(folder, output / "found", settings=settings | {"url": url}, **given)
    expected = train(folder, output / "plain", settings=settings, client=client, trainer=PlainGRPO, **given)
    assert all(g.norm() > 1e-3 for g in expected.gradients)
    return found, expected


@pytest.mark.parametrize(
    "settings",
    [SETTINGS, PAPO, {"preset": "vppo"}, SETTINGS | {"preset": "bips-consistency"}, SCALED],
    ids=lambda s: s.get("preset", "cppo-verl") + "-scaled" * ("options" in s),
)
def test_parameters_equal_those_of_the_loss_in_the_process(url, client, folder, tmp_path, settings):
    found, expected = both(url, client, folder, tmp_path, settings)
    assert len(found.gradients) == 3
    assert apart(found, expected) < CLOSE
    assert farthest(found, expected) < CLOSE


@pytest.mark.parametrize("loss_type", ["bnpo", "dr_grpo", "dapo", "cispo", "sapo"])
def test_every_loss_type_with_accumulation(url, client, folder, tmp_path, loss_type):
    found, expected = both(url, client, folder, tmp_path, loss_type=loss_type, max_steps=2)
    assert apart(found, expected) < CLOSE


def test_adapters_of_low_rank(url, client, folder, tmp_path):
    found, expected = both(url, client, folder, tmp_path, tuner_type="lora", target_modules="all-linear", lora_dropout=0, max_steps=2)
    assert apart(found, expected) < CLOSE


def test_several_pictures_in_a_row_and_rows_of_text(url, client, mixed, tmp_path):
    found, expected = both(url, client, mixed, tmp_path, max_steps=4)
    assert apart(found, expected) < CLOSE
    assert farthest(found, expected) < CLOSE


def test_the_perception_loss_is_a_good_part_of_these_gradients(url, folder, tmp_path):
    found = train(folder, tmp_path / "found", settings=SETTINGS | {"url": url}, max_steps=1)
    policy = train(folder, tmp_path / "own", settings={}, trainer=own_trainer(), max_steps=1)
    assert apart(found, policy) > 0.1


@pytest.mark.parametrize("settings", [SETTINGS, PAPO], ids=["cppo-verl", "papo-g"])
def test_grad_cache_equals_direct(url, folder, tmp_path, settings):
    runs = [
        train(folder, tmp_path / mode, settings=settings | {"url": url, "mode": mode}) for mode in ("direct", "grad_cache")
    ]
    assert apart(*runs) < CLOSE
    assert farthest(*runs) < CLOSE


def test_the_mean_over_all_sequences_of_a_step_does_not_depend_on_the_micro_batches(url, folder, tmp_path):
    settings = SETTINGS | {"url": url, "normalise": "sequences", "options": {"aggregation": "seq-mean-token-mean"}}
    runs = [
        train(folder, tmp_path / str(rows), settings=settings, max_steps=1, per_device_train_batch_size=rows,
              gradient_accumulation_steps=8 // rows, loss_type="grpo")
        for rows in (8, 4, 2)
    ]  # fmt: skip
    assert apart(runs[1], runs[0]) < CLOSE
    assert apart(runs[2], runs[0]) < CLOSE


def test_a_server_that_is_killed_and_started_again_changes_nothing(restartable, folder, tmp_path, monkeypatch):
    import threading

    settings = SETTINGS | {"url": restartable.url, "deadline": 60}
    calm = train(folder, tmp_path / "calm", settings=settings)
    generations = []

    def between_steps():
        generations.append(1)
        if len(generations) == 2:
            restartable.kill()
            threading.Timer(1, restartable.start).start()

    monkeypatch.setattr(LowerCase, "called", (between_steps,))
    found = train(folder, tmp_path / "killed", settings=settings)
    assert len(generations) == 3
    assert torch.equal(found.parameters, calm.parameters)


def test_a_server_that_stays_away_leaves_the_policy_loss_where_that_is_wanted(restartable, folder, tmp_path, monkeypatch):
    policy = train(folder, tmp_path / "own", settings={}, trainer=own_trainer(), max_steps=2)
    kills = iter([restartable.kill])
    monkeypatch.setattr(LowerCase, "called", (lambda: next(kills, lambda: None)(),))
    settings = SETTINGS | {"url": restartable.url, "deadline": 1, "on_error": "skip"}
    found = train(folder, tmp_path / "skipped", settings=settings, max_steps=2)
    assert apart(found, policy) < 1e-6
    assert found.curve("perception/skipped")[0] > 0, "the losses of the first step"
    assert found.trainer.perception_client.skipped == 3, "two losses, and the second step's views"


def test_evaluation_is_the_trainers_own(url, folder, tmp_path):
    run = train(folder, tmp_path, settings={"url": url}, max_steps=2, eval_strategy="steps", eval_steps=1,
                val_dataset=folder / "data.jsonl")  # fmt: skip
    assert len(run.curve("eval_loss")) == 2
    assert len(run.curve("perception/loss")) == 2
    assert not run.curve("eval_perception/loss")
