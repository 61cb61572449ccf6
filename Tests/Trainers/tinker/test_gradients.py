"""The rows' gradients add up to those of the loss in the process."""

import copy

import pytest
import rollouts as made
import torch
from rollouts import accumulated, gradient, in_process
from stand_in import TrainingClient
from tinker import types

from perception_client.trainers.prompt_views import PromptViews
from perception_client.trainers.tinker import PerceptionRows, Rollout
from perception_client.trainers.tinker.rollouts import datum

RECIPES = {"preserving": "cppo-preserving", "removing": "cppo-removing"}


def adder(training, client, **more):
    return PerceptionRows(training, made.SETTINGS, perception=client, **more)


def views(client, given, step):
    return PromptViews(client, RECIPES).make([r.pictures for r in given], step).pictures


def apart(found, expected):
    """The largest difference, as a share of the largest gradient."""
    assert float(expected.abs().max()) > 1e-4
    return float((found - expected).abs().max() / expected.abs().max())


def test_rows_of_a_server_that_sums(client):
    training, given = TrainingClient(), made.rollouts()
    said = adder(training, client).add(given, 3)
    expected = in_process(training.model, given, views(client, given, 3))
    assert apart(accumulated(training.model), gradient(training.model, expected)) < 1e-5
    assert said["perception/objective"] == pytest.approx(expected.item(), rel=1e-5)
    assert said["perception/tokens"] == sum(sum(r.mask) for r in given)
    forward, backward = training.calls
    assert forward[:2] == ("forward", "cross_entropy") and len(forward[2]) == 12
    assert backward[:2] == ("forward_backward", "importance_sampling") and len(backward[2]) > 6
    # Rows whose weights are all 0 are left out: those of the rollout with a negative advantage.
    assert all(any(row.loss_fn_inputs["advantages"].data) for row in backward[2])
    assert given[1].targets not in [row.loss_fn_inputs["target_tokens"].data for row in backward[2]]


@pytest.mark.parametrize("divides", ["nothing", "rows"])
def test_beside_a_policy_loss_three_steps(client, divides):
    """Parameters after three steps; a server that divides by rows shrinks both losses alike, to policy rows / rows."""
    training = TrainingClient(divides)
    model = copy.deepcopy(training.model)
    perception = adder(training, client, divides=divides)
    for step in range(3):
        given = made.rollouts(step)
        policy, losses = [], []
        for rollout in given:
            row, own = rollout.under(rollout.pictures), torch.tensor(list(rollout.mask)[1:])
            old = training.model(row, rollout.targets).detach().float()
            numbers = {"logprobs": old.tolist(), "advantages": (own * rollout.advantage).tolist()}
            policy.append(datum(row, rollout.targets, numbers))
            losses.append(-(own * rollout.advantage * model(row, rollout.targets)).sum() / (len(own) * 4 if divides == "rows" else 1))
        training.forward_backward(policy, "importance_sampling").result()
        perception.add(given, step, policy_rows=4)
        rate = 0.05 * (training.rows / 4 if divides == "rows" else 1)
        assert training.rows > 10
        training.optim_step(types.AdamParams(learning_rate=rate)).result()
        total = sum(losses) + in_process(model, given, views(client, given, step))
        with torch.no_grad():
            for parameter, g in zip(model.parameters(), torch.autograd.grad(total, list(model.parameters())), strict=True):
                parameter -= 0.05 * g
    for found, expected in zip(training.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_a_preset_whose_removing_view_is_constant_has_one_row_a_rollout(client):
    training, given = TrainingClient(), made.rollouts()
    settings = {"preset": "papo-g", "recipes": {"removing": "papo-removing"}}
    PerceptionRows(training, settings, perception=client).add(given, 1)
    forward, backward = training.calls
    assert len(forward[2]) == 8 and len(backward[2]) == 4
    # papo-g: −γ · mean D(o‖n) + η · mean −log-probability of the original; n is constant.
    import in_process as losses

    seen = PromptViews(client, settings["recipes"]).make([r.pictures for r in given], 1).pictures["removing"]
    said = {"original": [], "removing": []}
    for number, rollout in enumerate(given):
        own = torch.tensor(list(rollout.mask)[1:]).bool()
        for view, files in (("original", rollout.pictures), ("removing", seen[number])):
            said[view].append(training.model(rollout.under(files), rollout.targets)[own])
    wide = {view: torch.cat(x)[None] for view, x in said.items()}
    expected = losses.papo(wide, torch.ones_like(wide["original"]).bool())
    assert apart(accumulated(training.model), gradient(training.model, expected)) < 1e-5


def test_two_calls_of_half_the_weight(client):
    training, given = TrainingClient(), made.rollouts()
    perception = adder(training, client)
    perception.add(given[:2], 0, factor=0.5)
    perception.add(given[2:], 0, factor=0.5)
    seen = views(client, given, 0)
    halves = [
        in_process(training.model, given[part], {view: x[part] for view, x in seen.items()}) / 2
        for part in (slice(0, 2), slice(2, 4))
    ]
    assert apart(accumulated(training.model), gradient(training.model, sum(halves))) < 1e-5


def test_advantages_of_positions(client):
    one, other = TrainingClient(), TrainingClient()
    given = made.rollouts()
    wide = [Rollout(r.sequence, r.mask, [r.advantage] * len(r.mask)) for r in given]
    adder(one, client).add(given, 0)
    adder(other, client).add([wide[0], *given[1:3], wide[3]], 0)
    torch.testing.assert_close(accumulated(one.model), accumulated(other.model))


def test_views_made_while_one_samples(client):
    one, other, given = TrainingClient(), TrainingClient(), made.rollouts()
    perception = adder(one, client)
    perception.add(given, 2, views=perception.start(given, 2))
    adder(other, client).add(given, 2)
    assert torch.equal(accumulated(one.model), accumulated(other.model))


def test_rollouts_without_pictures_or_tokens_take_no_part(client):
    one, other, given = TrainingClient(), TrainingClient(), made.rollouts()
    plain = Rollout.of(types.ModelInput.from_ints([1, 2]), [3, 4, 5], 1.0)
    silent = Rollout(given[0].sequence, [0] * len(given[0].mask), 1.0)
    adder(one, client).add([plain, *given[:2], silent, *given[2:]], 0)
    adder(other, client).add(given, 0)
    assert torch.equal(accumulated(one.model), accumulated(other.model))
    assert adder(one, client).add([plain, silent], 0) == {} and len(one.calls) == 2


def test_a_heat_map(client, tmp_path):
    class Tokenizer:
        def decode(self, ids):
            return f"word{ids[0]}"

    perception = adder(TrainingClient(), client, heatmap_every=2, folder=str(tmp_path), tokenizer=Tokenizer())
    for step in range(3):
        perception.add(made.rollouts(), step)
    assert sorted(x.name for x in tmp_path.iterdir()) == ["step-000000.html", "step-000002.html"]
    assert f"word{made.tokens(0, 9)[0]}" in (tmp_path / "step-000000.html").read_text(encoding="utf-8")
