"""What is refused, with a sentence that says what to do; and what is never tried twice."""

import pytest
import rollouts as made
from rollouts import SETTINGS, picture, text
from stand_in import TrainingClient
from tinker import types

from perception_client import Perception
from perception_client.errors import PerceptionError
from perception_client.trainers.tinker import MayHaveCounted, PerceptionRows, PicturesDropped, Rollout


def adder(training, client, settings=SETTINGS, **more):
    return PerceptionRows(training, settings, perception=client, **more)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"preset": "cppo-verl"}, "detector"),
        ({"preset": "vppo"}, "changes the policy loss"),
        (SETTINGS | {"mode": "direct"}, "mode direct"),
        (SETTINGS | {"normalise": "sequences"}, "factor="),
        (SETTINGS | {"send_tokens": True}, "tokenizer"),
    ],
)
def test_settings(client, settings, words):
    with pytest.raises(ValueError, match=words):
        adder(TrainingClient(), client, settings)


@pytest.mark.parametrize("pictures", ["dropped", "ignored"])
def test_pictures_that_the_model_does_not_see(client, pictures):
    training = TrainingClient(pictures=pictures)
    with pytest.raises(PicturesDropped, match={"dropped": "leaves out pictures", "ignored": "does not see them"}[pictures]):
        adder(training, client).add(made.rollouts(), 0)
    assert [call[0] for call in training.calls] == ["forward"]


@pytest.mark.parametrize(
    ("reduction", "metric", "divides", "words"),
    [
        ("rows", False, None, "does not say how it sums"),
        ("rows", True, None, "divides by something"),
        ("rows", True, "nothing", "divides by something"),
        ("nothing", True, "rows", "plain sum"),
        ("nothing", True, "tokens", "expected nothing or rows"),
    ],
)
def test_how_the_server_sums(client, reduction, metric, divides, words):
    training = TrainingClient(reduction, metric=metric)
    with pytest.raises(ValueError, match=words):
        adder(training, client, divides=divides).add(made.rollouts(), 0, policy_rows=4)
    assert [call[0] for call in training.calls] == ["forward"]


def test_a_server_that_divides_by_rows_needs_their_number(client):
    with pytest.raises(ValueError, match="policy_rows"):
        adder(TrainingClient("rows"), client, divides="rows").add(made.rollouts(), 0)


def test_a_backward_pass_that_may_have_counted_is_not_tried_again(client):
    training = TrainingClient()
    training.after = ConnectionError("the answer is lost")
    perception = adder(training, client)
    for _ in range(2):
        with pytest.raises(MayHaveCounted, match="not tried again.*optim_step"):
            perception.add(made.rollouts(), 0)
    assert [call[0] for call in training.calls] == ["forward", "forward_backward"]
    training.after = None
    perception.forget()
    assert perception.add(made.rollouts(), 1)["perception/gated"] > 0


def rollout(*chunks, mask=None, advantage=1.0):
    sequence = types.ModelInput(chunks=list(chunks))
    return Rollout(sequence, mask or [0] * (sequence.length - 2) + [1, 1], advantage)


def unknown_size():
    return types.ImageChunk(data=picture("page.png").data, format="png")


def pointer():
    return types.ImageAssetPointerChunk(format="png", location="https://example.org/page.png", expected_tokens=4)


@pytest.mark.parametrize(
    ("made_one", "words"),
    [
        (lambda: Rollout(types.ModelInput(chunks=[text(1), unknown_size(), text(2, 3)]), [0, 1, 1], 1.0), "expected_tokens"),
        (lambda: rollout(text(1), pointer(), text(2, 3)), "ImageAssetPointerChunk"),
        (lambda: rollout(text(1, 2), picture("page.png")), "end in tokens"),
        (lambda: rollout(text(1), picture("page.png"), text(2, 3), mask=[1, 1]), "2 values, and the sequence 7"),
        (lambda: rollout(text(1), picture("page.png"), text(2, 3), mask=[0, 0, 1, 0, 0, 1, 1]), "where there is a picture"),
        (lambda: rollout(text(1), picture("page.png"), text(2, 3), mask=[1, 0, 0, 0, 0, 1, 1]), "first token"),
        (lambda: rollout(text(1), picture("page.png"), text(2, 3), advantage=[1.0]), "advantage has 1"),
        (lambda: rollout(text(1), picture("page.png"), text(2, 3), advantage=None), "every rollout its advantage"),
    ],
)
def test_rollouts_that_are_no_rows(client, made_one, words):
    training = TrainingClient()
    with pytest.raises(ValueError, match=words):
        adder(training, client).add([made_one()], 0)
    assert all(call[0] == "forward" for call in training.calls)


def test_views_of_other_rollouts(client):
    perception = adder(TrainingClient(), client)
    given = made.rollouts()
    with pytest.raises(ValueError, match="other rollouts"):
        perception.add(given, 0, views=perception.start(given[::-1], 0))


def test_a_gate_of_rewards_needs_them(client):
    settings = {"preset": "bips-consistency"}
    with pytest.raises(ValueError, match="every rollout its reward"):
        adder(TrainingClient(), client, settings).add(made.rollouts(), 0)
    given = [Rollout(r.sequence, r.mask, reward=1.0) for r in made.rollouts()]
    assert adder(TrainingClient(), client, settings).add(given, 0)["perception/gated"] > 0


def test_a_perception_server_that_dies(restartable):
    training = TrainingClient()
    with Perception(restartable.url, on_error="skip", deadline=0.5) as skipping:
        perception = adder(training, skipping)
        given = made.rollouts()
        begun = perception.start(given, 0)
        begun.collect()
        restartable.kill()
        assert perception.add(given, 0, views=begun) == {"perception/skipped": 1.0}
        assert perception.add(given, 1) == {"perception/skipped": 2.0}
        assert [call[0] for call in training.calls] == ["forward"]
        skipping.on_error = "raise"
        with pytest.raises(PerceptionError):
            perception.add(given, 2)
