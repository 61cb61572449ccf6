"""A server that dies in the middle of training: the run waits, and ends with the parameters that it would have had."""

import threading
import time

import pytest
import torch
from plain import PlainGRPO
from training import GRPO, apart, train
from transformers import TrainerCallback

import tiny_model
from perception_client import Perception, Unreachable
from perception_client.trainers.settings import TrainerSettings

SETTINGS = {"coefficient": 1.0}


class At(TrainerCallback):
    """Does something at the end of a step."""

    def __init__(self, step, action):
        self.step, self.action = step, action

    def on_step_end(self, args, state, control, **_):
        if state.global_step == self.step:
            self.action()


@pytest.mark.parametrize("mode", ["direct", "grad_cache"])
def test_killed_and_restarted_the_parameters_are_the_same_bits(restartable, tmp_path, mode):
    given = {"settings": SETTINGS | {"mode": mode}, "max_steps": 3}
    undisturbed = train(GRPO, tmp_path, client=Perception(restartable.url, deadline=60), **given)

    def kill():
        restartable.kill()
        threading.Timer(2, restartable.start).start()

    start = time.monotonic()
    disturbed = train(GRPO, tmp_path, client=Perception(restartable.url, deadline=60), callbacks=[At(1, kill)], **given)
    assert torch.equal(disturbed.parameters, undisturbed.parameters) and time.monotonic() - start > 2


def test_away_for_good_the_error_names_the_server(restartable, tmp_path):
    client = Perception(restartable.url, deadline=2)
    with pytest.raises(Unreachable, match=str(restartable.port)):
        train(GRPO, tmp_path, client=client, settings=SETTINGS, max_steps=3, callbacks=[At(1, restartable.kill)])


def test_skipping_goes_on_with_the_trainers_own_loss(restartable, tmp_path):
    client = Perception(restartable.url, deadline=1, on_error="skip")
    run = train(GRPO, tmp_path, client=client, settings=SETTINGS, max_steps=2, callbacks=[At(1, restartable.kill)])
    # Of the second step its views are missing, so that nothing is asked for its two micro-batches.
    assert client.skipped == 1 and run.curve("perception/skipped")[-1] > 0
    assert len(run.curve("perception/loss")) == 1, "a skipped loss is no loss of 0"
    assert run.gradients[1].norm() > 0


def test_a_resumed_run_draws_the_views_of_an_uninterrupted_one(client, tmp_path):
    """They depend on the step and the picture, not on what was drawn before. (TRL's own steps differ a little.)"""
    views, drawn = client.views, []

    def watched(*rest, **named):
        made = views(*rest, **named)
        drawn.append([x.numpy().tobytes() for name in made for x in made[name]])
        return made

    client.views = watched
    given = {"client": client, "settings": SETTINGS, "rows": tiny_model.rows(8), "save_strategy": "steps", "save_steps": 2}
    train(GRPO, tmp_path / "whole", max_steps=4, **given)
    whole = list(drawn)
    rest = train(GRPO, tmp_path / "rest", max_steps=4, resume=str(tmp_path / "whole/checkpoint-2"), **given)
    assert len(whole) == 4 and drawn[4:] == whole[2:]
    assert len(rest.gradients) == 2 and all(0 < g.norm() < 1e4 for g in rest.gradients)
    assert len(rest.curve("perception/loss")) == 4, "the log of the first two steps is the checkpoint's"


def test_settings_alone_find_the_server(url, tmp_path, monkeypatch):
    """Without a client: from the environment."""
    monkeypatch.setenv("PERCEPTION_URL", url)
    monkeypatch.setenv("PERCEPTION_COEFFICIENT", "1.0")
    found = train(GRPO, tmp_path, max_steps=1)
    expected = train(PlainGRPO, tmp_path, client=Perception(url), settings=SETTINGS, max_steps=1)
    assert apart(found, expected) < 1e-5
    assert TrainerSettings.of().coefficient == 1.0
