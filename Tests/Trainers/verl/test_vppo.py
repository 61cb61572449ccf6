"""Preset vppo: verl's token advantages are scaled and left out before a worker's first mini-batch."""

import pytest
import torch

from perception_client import Unreachable


@pytest.fixture
def worker(group, folder, settings):
    """Makes the actor's worker: worker(mode="grad_cache", rows of a mini-batch, more of verl's configuration)."""
    import training

    def made(*more, rows=8, **setting):
        settings(**{"preset": "vppo"} | setting)
        return training.worker(folder, f"actor_rollout_ref.actor.ppo_mini_batch_size={rows}", *more)

    return made


def updated(worker, rows, size=8):
    import training

    return training.updated(worker, rows, size)


@pytest.mark.parametrize("mode, size, policy", [("direct", 8, "vppo"), ("grad_cache", 8, "vppo"), ("direct", 4, "vppo/4")])
def test_three_steps_end_where_plain_torch_ends(worker, rows_and_plain, mode, size, policy):
    """With two mini-batches a step, the second one's advantages still are by the policy before the first one's step."""
    import training

    rows, plain = rows_and_plain
    made = worker(mode=mode, rows=size)
    for _ in range(3):
        said = updated(made, rows, size)
    found = training.parameters(made.actor.engine)
    assert training.apart(found, plain[policy]) < 1e-5
    assert training.apart(plain[policy], plain[policy.replace("vppo", "none")]) > 2e-4
    assert sum(said["perception/gated"]) > 0 and said["perception/entropy_loss/original"]


@pytest.mark.parametrize("mode", ["direct", "grad_cache"])
def test_an_option_scales_the_advantages_of_another_preset(worker, rows_and_plain, mode):
    """The removing view has a gradient there, and the scale is of what the old policy says of it."""
    import training

    rows, plain = rows_and_plain
    made = worker(mode=mode, preset="cppo-verl", options='{"advantage_shaping": "dependency"}')
    for _ in range(3):
        said = updated(made, rows)
    found = training.parameters(made.actor.engine)
    assert training.apart(found, plain["scaled"]) < 1e-5
    assert training.apart(plain["scaled"], plain["cppo-verl"]) > 1e-4
    assert sum(said["perception/gated"]) > 0


def test_a_view_whose_entropies_are_used_has_its_own_pass(worker, rows_and_plain):
    """The old policy's log-probabilities alone would leave the detector without its entropies."""
    found = []
    for options in ('{"detector": "entropy"}', '{"detector": "entropy", "advantage_shaping": "dependency"}'):
        said = updated(worker(preset="papo-g", options=options), rows_and_plain[0])
        found.append({name: sum(said[f"perception/{name}"]) for name in ("loss", "gated", "candidates")})
    assert found[0] == pytest.approx(found[1], rel=1e-6) and 0 < found[0]["gated"] < found[0]["candidates"]


def test_views_are_run_once_for_all_rollouts_and_not_again_with_the_loss(worker, rows_and_plain):
    """The other view is a constant: its one pass without a graph serves the scale and the loss's own request."""
    made = worker()
    passes = []
    made.actor.engine.module.register_forward_hook(lambda *_: passes.append(torch.is_grad_enabled()))
    updated(made, rows_and_plain[0])
    assert passes == [False] * 4 + [True] * 4


def test_a_shape_that_cannot_be_had_leaves_the_policy_loss(worker, rows_and_plain, restartable):
    import training

    rows, plain = rows_and_plain
    made = worker(url=restartable.url, on_error="skip", deadline=0.3)
    restartable.kill()
    for _ in range(3):
        updated(made, rows)
    assert training.apart(training.parameters(made.actor.engine), plain["none"]) < 1e-5
    # Each step the shape, and the loss of four micro-batches.
    assert made.actor.engine.perception.client.skipped == 3 * 5


def test_without_a_server_the_step_ends(worker, rows_and_plain, restartable):
    made = worker(url=restartable.url, deadline=0.3)
    restartable.kill()
    with pytest.raises(Unreachable):
        updated(made, rows_and_plain[0])


def test_a_policy_loss_of_sequences_is_refused(worker, rows_and_plain):
    made = worker("actor_rollout_ref.actor.policy_loss.loss_mode=geo_mean")
    with pytest.raises(ValueError, match="policy_loss.loss_mode=geo_mean averages the advantages of a sequence"):
        updated(made, rows_and_plain[0])
