"""Gradients of real training steps against the same loss in the process."""

import pytest
from plain import PlainGRPO, PlainRLOO
from training import GRPO, RLOO, apart, train

CLOSE = 1e-5
# So large that the perception loss is most of the gradient: at 0.01 the policy loss would hide its mistakes.
SETTINGS = {"coefficient": 1.0}


def both(client, folder, adapted=GRPO, plain=PlainGRPO, settings=SETTINGS, **given):
    found = train(adapted, folder, client=client, settings=settings, **given)
    expected = train(plain, folder, client=client, settings=settings, **given)
    assert all(g.norm() > 1e-3 for g in expected.gradients)
    return found, expected


@pytest.mark.parametrize("loss_type", ["grpo", "dr_grpo", "dapo", "bnpo", "cispo", "sapo", "luspo", "vespo"])
def test_every_loss_type_with_accumulation(client, tmp_path, loss_type):
    found, expected = both(client, tmp_path, loss_type=loss_type)
    assert apart(found, expected) < CLOSE


@pytest.mark.parametrize("preset", ["papo-g", "bips-consistency", "bips-separation", "vppo"])
def test_presets(client, tmp_path, preset):
    settings = {"preset": preset} | ({"coefficient": 0.5} if preset != "vppo" else {})
    found, expected = both(client, tmp_path, settings=settings, loss_type="dapo")
    assert apart(found, expected) < CLOSE


@pytest.mark.parametrize(
    "preset, mode", [("cppo-verl", "direct"), ("cppo-verl", "grad_cache"), ("cppo-verl", "detached"), ("papo-g", "direct")]
)
def test_advantages_scaled_by_an_option(client, tmp_path, preset, mode):
    """By the removing view, which has a gradient with cppo-verl and none with papo-g."""
    settings = {"preset": preset, "coefficient": 0.5, "options": {"advantage_shaping": "dependency"}}
    found, expected = both(client, tmp_path, settings=settings | {"mode": mode})
    assert apart(found, expected) < CLOSE
    unscaled = train(PlainGRPO, tmp_path, client=client, settings=settings | {"mode": mode, "options": {}}, max_steps=1)
    assert float((found.gradients[0] - unscaled.gradients[0]).norm()) > 1e-3 * float(unscaled.gradients[0].norm())


def test_vppo_changes_the_policy_loss(client, tmp_path):
    """Its tokens and its scale are in the gradient: without them it is another one."""
    shaped = train(GRPO, tmp_path, client=client, settings={"preset": "vppo"}, max_steps=1)
    settings = {"preset": "vppo", "options": {"policy_tokens": "response", "advantage_shaping": "none"}}
    plain = train(GRPO, tmp_path, client=client, settings=settings, max_steps=1)
    scaled = train(GRPO, tmp_path, client=client, settings={"preset": "vppo", "options": {"policy_tokens": "response"}}, max_steps=1)
    assert apart(shaped, plain) > 0.1 and apart(scaled, plain) > 1e-3 and apart(shaped, scaled) > 0.1


@pytest.mark.parametrize("preset", ["cppo-verl", "papo-g", "bips-consistency"])
def test_rloo(client, tmp_path, preset):
    """Whose loss the Trainer divides by the accumulation steps, which GRPO's does for itself."""
    settings = {"preset": preset, "coefficient": 0.5}
    found, expected = both(client, tmp_path, RLOO, PlainRLOO, settings)
    assert apart(found, expected) < CLOSE


@pytest.mark.parametrize("trainer", [GRPO, RLOO])
@pytest.mark.parametrize("preset", ["cppo-verl", "papo-recompute", "papo-g"])
def test_grad_cache_is_direct(client, tmp_path, trainer, preset):
    settings = {"preset": preset, "coefficient": 0.5}
    found = train(trainer, tmp_path, client=client, settings=settings | {"mode": "grad_cache"})
    expected = train(trainer, tmp_path, client=client, settings=settings)
    assert apart(found, expected) < CLOSE


def test_several_pictures_in_a_row(client, tmp_path):
    found, expected = both(client, tmp_path, rows=rows((2, 1, 3)))
    assert apart(found, expected) < CLOSE


def test_several_updates_of_one_batch_of_rollouts(client, tmp_path):
    """Log-probabilities of the old policy, and rollouts that are used twice."""
    found, expected = both(client, tmp_path, num_iterations=2, steps_per_generation=4, max_steps=4)
    assert apart(found, expected) < CLOSE


def test_a_temperature_and_truncated_completions(client, tmp_path):
    found, expected = both(client, tmp_path, temperature=0.8, mask_truncated_completions=False, top_k=0)
    assert apart(found, expected) < CLOSE


def test_gradient_checkpointing(client, tmp_path):
    found = train(GRPO, tmp_path, client=client, settings=SETTINGS, gradient_checkpointing=True)
    expected = train(PlainGRPO, tmp_path, client=client, settings=SETTINGS)
    assert apart(found, expected) < CLOSE


def rows(pictures_of_row):
    import tiny_model

    return tiny_model.rows(8, pictures_of_row)
