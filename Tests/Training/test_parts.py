"""Parts of the study that its figures rest on."""

import numpy as np
import pytest
import torch

import arms
import detection
import intervals
import language
import pictures
import reinforcement
from model import Model
from rollouts import said


def words(text):
    numbers = [language.NUMBER_OF[w] for w in text.split()]
    return np.array(numbers + [language.PAD] * (language.LONGEST - len(numbers)))


RIGHT = "blue 7 red 3 : 7 - 3 = 4 <end>"


@pytest.mark.parametrize("text, reward", [
    (RIGHT, 1), ("blue 8 red 4 : 8 - 4 = 4 <end>", 1), ("blue 7 red 3 : 7 - 3 = 5 <end>", 0), ("4 <end>", 0),
    ("= 4 <end>", 1), ("blue 7 red 3 : 7 - 3 = 4", 0), ("<end>", 0), ("blue 7 red 3 : 7 - 3 = 4 4 <end>", 0),
])  # fmt: skip
def test_only_the_result_at_the_end_is_rewarded(text, reward):
    assert language.rewards(words(text)[None], np.array([4])) == [reward]


def test_numbers_after_colours_must_be_seen():
    seen = language.must_be_seen(words(RIGHT))
    assert seen.nonzero()[0].tolist() == [1, 3]
    assert language.must_be_seen(words("blue <end> blue 7")).sum() == 0, "after the end nothing is an answer"
    assert language.response_mask(words("blue 7 <end> red 3")).sum() == 3


def test_right_answers_are_rewarded():
    examples = pictures.drawn(200, np.random.default_rng(0))
    assert language.rewards(examples.words, examples.right).all()
    assert (language.must_be_seen(examples.words).sum(1) == 2).all()


def test_answers_are_the_likeliest_words_of_a_pass_over_the_whole():
    """Answers are written word by word from kept keys and values; the loss runs over the whole."""
    torch.manual_seed(0)
    model = Model()
    for p in model.parameters():
        p.data.mul_(2)
    examples = pictures.drawn(8, np.random.default_rng(0))
    seen, questions = torch.from_numpy(examples.pictures), torch.from_numpy(examples.questions)
    written = model.answers(seen, questions, 3)
    mask = torch.from_numpy(language.response_mask(written.numpy()))
    whole = said(model, seen, questions, written).logits.view(8, 3, language.LONGEST, -1).argmax(-1)
    assert (whole == written)[mask].all() and mask.sum() > 24


def test_area_and_curve_of_a_detector():
    draw = np.random.default_rng(0)
    truth = draw.random(300) < 0.3
    scores = np.round(truth * 0.5 + draw.random(300), 1)  # with ties
    pairs = scores[truth][:, None] - scores[~truth]
    assert detection.area(scores, truth) == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())
    curve = np.array(detection.roc(scores, truth, 4001))
    assert np.trapezoid(curve[:, 1], curve[:, 0]) == pytest.approx(detection.area(scores, truth), abs=2e-3)


def test_interval_by_students_t():
    found = intervals.interval([1.0, 2.0, 3.0, 4.0, 5.0])
    assert found.mean == 3 and found.half == pytest.approx(1.963, abs=1e-3)


def test_policy_loss_is_reinforce():
    log_probs = torch.randn(4, 3).requires_grad_()
    mask = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 0], [1, 1, 1]]).bool()
    advantages = torch.tensor([1.0, -1.0, 0.5, 0.0])
    reinforcement.policy_loss(log_probs, mask, advantages).backward()
    assert torch.allclose(log_probs.grad, -advantages[:, None] * mask / mask.sum())


def test_every_arm_is_found_by_its_name():
    names = [*arms.MAIN, *arms.swept()]
    assert len(names) == len(set(names)) and all(arms.named(name) for name in names)
    with pytest.raises(KeyError, match="there is no arm"):
        arms.named("cppo")
