"""Rows without pictures, evaluation, a grid that differs, and where pictures come from."""

import pytest
import torch
import transformers
from plain import PlainGRPO
from training import GRPO, apart, made, train
from trl import GRPOTrainer

import tiny_model
from perception_client.trainers.trl_rows import pictures

SETTINGS = {"coefficient": 1.0}


def test_rows_without_pictures_among_others(client, tmp_path):
    """They train as ever, and take no part in the perception loss."""
    given = {"rows": tiny_model.rows(8, (1, 0, 2, 0)), "per_device_train_batch_size": 8, "client": client, "settings": SETTINGS}
    found, expected = train(GRPO, tmp_path, **given), train(PlainGRPO, tmp_path, **given)
    assert apart(found, expected) < 1e-5
    for tokens in found.curve("perception/tokens"):
        assert 0 < tokens < 8 * 24


def outcome(trainer, folder, rows, **given):
    """The parameters after training, or what the model says when it cannot: transformers 5.3 runs no text after pictures."""
    try:
        return train(trainer, folder, rows=rows, **given)
    except RuntimeError as error:
        assert transformers.__version__.startswith("5.3."), error
        return str(error)


def test_text_alone_asks_the_server_nothing(client, tmp_path):
    # Early releases read a conversation without pictures in parts only.
    said = [row["prompt"][0]["content"] for row in tiny_model.rows(4)]
    rows = [{"prompt": [{"role": "user", "content": [{"type": "text", "text": text}]}]} for text in said]
    found = outcome(GRPO, tmp_path, rows, client=client, settings=SETTINGS)
    expected = outcome(GRPOTrainer, tmp_path, rows)
    if isinstance(expected, str):
        assert found == expected
    else:
        assert torch.equal(found.parameters, expected.parameters) and found.curve("perception/loss") == []


def test_evaluation_is_the_trainers_own(client, tmp_path):
    asked = []
    client.views, views = lambda *a, **k: asked.append("views") or views(*a, **k), client.views
    given = {"rows": tiny_model.rows(4), "per_device_eval_batch_size": 4}
    results = []
    for trainer in (GRPO, GRPOTrainer):
        run = made(trainer, tmp_path, client=client, settings=SETTINGS, **given)
        run.eval_dataset = run.train_dataset
        torch.manual_seed(1)
        run.evaluate()
        results.append(run.state.log_history[-1])
    found, expected = results
    assert asked == [] and found["eval_loss"] == expected["eval_loss"] and found["eval_reward"] == expected["eval_reward"]


def test_evaluation_between_steps(client, tmp_path):
    """Training goes on with the perception loss afterwards."""
    rows = tiny_model.rows(4)
    run = made(GRPO, tmp_path, client=client, settings=SETTINGS, rows=rows, eval_rows=rows, eval_strategy="steps", eval_steps=1,
               per_device_eval_batch_size=4)  # fmt: skip
    run.train()
    assert len([entry for entry in run.state.log_history if "perception/loss" in entry]) == 2
    assert len([entry for entry in run.state.log_history if "eval_reward" in entry]) == 2


def test_a_view_of_another_grid_is_refused(client, tmp_path):
    """As when a recipe changed the size; the prompt would have another number of image tokens."""
    views = client.views

    def smaller(images, *rest, **named):
        made = views(images, *rest, **named)
        return {name: [x[:, :-28] for x in found] for name, found in made.items()}

    client.views = smaller
    with pytest.raises(ValueError, match="preserving: image_grid_thw is"):
        train(GRPO, tmp_path, client=client, settings=SETTINGS, max_steps=1)


def test_where_pictures_are_looked_for():
    one, two = tiny_model.pictures(2)
    part = {"type": "image", "image": one}
    assert pictures({"images": [one, two]}) == [one, two] and pictures({"image": one}) == [one]
    assert pictures({"images": None, "prompt": "text"}) == [] and pictures({"images": []}) == []
    assert pictures({"prompt": [{"role": "user", "content": [part, {"type": "text", "text": "?"}]}]}) == [one]


def test_one_picture_column(client, tmp_path):
    rows = [{"prompt": row["prompt"], "image": row["images"][0]} for row in tiny_model.rows(4)]
    found = train(GRPO, tmp_path, rows=rows, client=client, settings=SETTINGS, max_steps=1)
    expected = train(GRPO, tmp_path, rows=tiny_model.rows(4), client=client, settings=SETTINGS, max_steps=1)
    assert torch.equal(found.parameters, expected.parameters)
