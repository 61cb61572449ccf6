"""What is refused, and a server that cannot be reached."""

import batches
import pytest
import torch
from batches import loss_function, trained
from workers import Policy


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"mode": "direct"}, "rows or detached"),
        ({"normalise": "sequences"}, "normalise"),
        ({"heatmap_every": 5}, "tokens' text"),
        ({"options": {}}, "detector"),
        ({"preset": "bips-consistency", "options": {}}, "rewards"),
        ({"mode": "detached", "on_error": "skip"}, "on_error skip"),
        ({"mode": "detached", "options": {"detector": "divergence", "estimator": "k1"}}, "cancels"),
    ],
)
def test_settings(installed, given, words):
    with pytest.raises(ValueError, match=words):
        installed(Policy(), **given)


def test_other_releases(installed, monkeypatch):
    import importlib.metadata

    from perception_client.trainers.versions import UntestedTrainer

    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.8.0")
    with pytest.raises(UntestedTrainer, match=r"0\.7"):
        installed(Policy())


def test_a_server_away_is_raised_or_skipped(installed, restartable):
    policy, plain = Policy(step_rows=6), Policy(step_rows=6)
    installed(policy, url=restartable.url, on_error="skip", deadline=1.0)
    restartable.kill()
    results = trained(policy, loss_function())
    trained(plain, loss_function())
    assert torch.equal(policy.gradients[0], plain.gradients[0])
    assert results["all_mb_metrics"]["perception/skipped"] == [1.0]


def test_pictures_of_an_unknown_layout(installed):
    policy = Policy(step_rows=6)
    installed(policy)
    data = batches.batch()
    data["pixel_values"].tensors[0] = data["pixel_values"].tensors[0] * 3
    with pytest.raises(TypeError, match="arranges its pixels"):
        trained(policy, loss_function(), data)
