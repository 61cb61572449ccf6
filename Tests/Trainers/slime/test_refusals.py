"""What is refused, and a server that cannot be reached."""

import asyncio

import pytest
from rollouts import arguments, converted, generated, said, samples

from small_pictures import Model


def prepared(args, monkeypatch):
    (data,) = converted(arguments(), generated(arguments(), monkeypatch))
    data["log_probs"] = said(args, Model(), data)
    return data


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"advantage_estimator": "gspo"}, "grpo or cispo"),
        ({"loss_type": "policy_loss"}, "custom_loss"),
        ({"custom_loss_function_path": "my.loss"}, "trainers.slime.loss"),
        ({"calculate_per_token_loss": True}, "per-token"),
        ({"use_critic": True}, "critic"),
        ({"use_rollout_logprobs": True}, "use-rollout-logprobs"),
    ],
)
def test_arguments(settings, monkeypatch, given, words):
    from slime.backends.megatron_utils import loss as module

    with pytest.raises(ValueError, match=words):
        module.compute_advantages_and_returns(arguments(**given), prepared(arguments(), monkeypatch))


def test_context_parallelism(settings, monkeypatch, slime):
    from perception_client.trainers.slime import advantages

    data = prepared(arguments(), monkeypatch)
    monkeypatch.setattr(slime, "get_context_parallel_world_size", lambda: 2)
    with pytest.raises(ValueError, match="context-parallel-size 1"):
        advantages(arguments(), data)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"mode": "detached", "options": "{}"}, "does not carry"),
        ({"mode": "detached", "on_error": "skip"}, "on_error skip"),
        ({"mode": "detached", "options": '{"detector": "divergence", "estimator": "k1"}'}, "cancels"),
        ({"options": "{}"}, "use-rollout-entropy"),
        ({"normalise": "sequences"}, "normalise"),
        ({"preset": "bips-consistency"}, "rewards"),
        ({"mode": "direct"}, "mode direct"),
        ({"heatmap_every": "5"}, "heatmap_every"),
        ({"send_tokens": "1"}, "send_tokens"),
    ],
)
def test_settings(settings, monkeypatch, variables, words):
    from slime.backends.megatron_utils import loss as module

    data = prepared(arguments(), monkeypatch)
    settings(**variables)
    with pytest.raises(ValueError, match=words):
        module.compute_advantages_and_returns(arguments(), data)


def test_a_teacher_where_its_column_is_taken(settings, monkeypatch):
    """Two views and the factors of the advantages need three columns."""
    from slime.backends.megatron_utils import loss as module

    data = prepared(arguments(), monkeypatch)
    settings(mode="detached", options='{"detector": "divergence", "advantage_shaping": "dependency"}')
    with pytest.raises(ValueError, match="--use-opd needs the teacher"):
        module.compute_advantages_and_returns(arguments(use_opd=True), data)


def test_slime_carries_the_columns():
    """From the data of a batch of rollouts to the loss."""
    import os
    import pathlib

    from perception_client.trainers.slime.training import COLUMNS

    source = (pathlib.Path(os.environ["SLIME_SOURCE"]) / "slime/backends/megatron_utils/model.py").read_text()
    of_the_loss = source[source.index("def train_one_step") : source.index("partial(loss_function")]
    assert all(f'"{name}",' in of_the_loss for name in COLUMNS)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"group_rm": True}, "group-rm"),
        ({"dynamic_sampling_filter_path": "slime.rollout.filter_hub.dynamic_sampling_filters.check_reward_nonzero_std"},
         "first sample of each list"),
    ],
)  # fmt: skip
def test_what_takes_one_sample_a_rollout(settings, given, words):
    from perception_client.trainers.slime import generate

    with pytest.raises(ValueError, match=words):
        asyncio.run(generate(arguments(**given), samples()[0], {}))


def test_slimes_own_filter_takes_no_siblings(settings, monkeypatch):
    """Why it is refused."""
    from slime.rollout.filter_hub.dynamic_sampling_filters import check_reward_nonzero_std

    with pytest.raises(AttributeError):
        check_reward_nonzero_std(arguments(), generated(arguments(), monkeypatch)[:2])


def test_a_server_that_cannot_be_reached(settings, monkeypatch):
    from slime.backends.megatron_utils import loss as module

    from perception_client.errors import PerceptionError

    data = prepared(arguments(), monkeypatch)
    for on_error in ("skip", "raise"):
        settings(on_error=on_error, deadline="0.3")
        from perception_client.trainers.slime.state import state

        state().client.presets()
        monkeypatch.setattr(state().client, "objective", unreachable)
        if on_error == "raise":
            with pytest.raises(PerceptionError):
                module.compute_advantages_and_returns(arguments(), data)
        else:
            module.compute_advantages_and_returns(arguments(), data)
            assert data["perception/skipped"] == [1.0] * 13 and not any(x.any() for x in data["returns"])


def unreachable(*args, **more):
    from perception_client.errors import Unreachable

    raise Unreachable("the server is away", 1)
