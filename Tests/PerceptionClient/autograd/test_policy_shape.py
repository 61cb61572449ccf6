"""Presets and options that change the policy loss: adapters ask for what the server's contract needs, and for no more."""

import itertools

import pytest
import torch
from test_modes import Model, batch, in_process

from perception_client import Perception
from perception_client.errors import InvalidRequest
from perception_client.trainers import modes, shaping
from perception_client.trainers.settings import TrainerSettings

PRESETS = (
    "cppo-verl", "cppo-areal", "papo-g", "papo-d", "papo-recompute", "vppo", "bips-consistency", "bips-separation",
)  # fmt: skip
OPTIONS = [
    dict(zip(("advantage_shaping", "policy_tokens", "gate", "detector"), one, strict=True))
    for one in itertools.product(
        ("none", "dependency"), ("response", "perception"), ("none", "positive_advantage", "reward"),
        ("entropy", "divergence", "none"),
    )
]  # fmt: skip
REWARDS = torch.tensor([1.0, 0.0, 0.6, 0.2])


def known(client, settings):
    """What the loss needs; None if adapters refuse the options as a whole."""
    try:
        return settings.needs(client)
    except ValueError as error:
        options = settings.options
        by_entropy = options["policy_tokens"] == "perception" and options["detector"] == "entropy"
        assert by_entropy or "no view but the original" in str(error), error
        return None


def merits(wanted):
    given = {"advantages": batch()["advantages"]} if wanted.advantages else {}
    return given | ({"rewards": REWARDS} if wanted.rewards else {})


def said(model, views):
    with torch.no_grad():
        return {view: model(view) for view in views}


@pytest.mark.parametrize("preset", PRESETS)
def test_every_combination_gets_its_loss_and_its_shape(client, preset):
    shaped = 0
    for options in OPTIONS:
        settings, model = TrainerSettings(preset=preset, options=options), Model()
        wanted = known(client, settings)
        if wanted is None:
            continue
        given = {"response_mask": batch()["response_mask"], **merits(wanted), **settings.loss}
        passes = said(model, ("original", *wanted.others))
        if wanted.shaping:
            shaped += 1
            old = {view: passes[view].log_probs for view in wanted.old}
            found = shaping.shape(client, wanted, settings.loss, log_probs=old, response_mask=given["response_mask"])
            _, scale = in_process.vppo_shaping(old["original"], old["removing"], given["response_mask"])
            assert (found.scale is None) == (options["advantage_shaping"] == "none")
            if found.scale is not None and wanted.options["estimator"] == "k3":
                torch.testing.assert_close(found.scale.double(), scale.double(), rtol=1e-5, atol=1e-6)
            assert (found.tokens is None) == (options["policy_tokens"] == "response" or options["detector"] == "none")
        if options["detector"] == "divergence":
            given["old"] = passes["original"].log_probs
        if wanted.options["estimator"] != "k1":
            modes.detached(client, model("original"), passes, **given).backward()
        modes.direct(client, model, model("original"), **given).backward()
        assert bool(torch.isfinite(model.gradient()).all())
        assert modes.rows(client, passes, **given).weights.keys() == set(wanted.graph)
    # Scaled: 18 of 36, less 3 whose tokens the entropies would choose. Not scaled, tokens chosen by the divergence: 3.
    assert shaped == 18


@pytest.mark.parametrize("preset", PRESETS)
def test_no_view_is_asked_for_in_vain(client, preset):
    """The server refuses the loss without any of the views, or the shape without the removing one."""
    for options in OPTIONS:
        settings = TrainerSettings(preset=preset, options=options)
        wanted = known(client, settings)
        if wanted is None:
            continue
        passes = said(Model(), ("original", *wanted.others))
        given = {"response_mask": batch()["response_mask"], **merits(wanted), **settings.loss}
        given.pop("policy_tokens")
        log_probs = {view: passes[view].log_probs for view in (*wanted.graph, *wanted.constant)}
        entropy = {view: passes[view].entropy for view in wanted.entropy}
        client.score(log_probs=log_probs, entropy=entropy or None, **given)
        for left_out in wanted.others:
            rest = [{v: x for v, x in part.items() if v != left_out} for part in (log_probs, entropy)]
            with pytest.raises(InvalidRequest, match=f"missing-field: {left_out}"):
                client.score(log_probs=rest[0], entropy=rest[1] or None, **given)


def test_the_detectors_options_go_where_it_chooses_tokens(client):
    """Without tokens to choose they would act on nothing, which the server refuses."""
    model, mask = Model(), batch()["response_mask"]
    options = {"detector": "divergence", "top_k_ratio": 0.25, "quota": "ceil", "gate_threshold": 0.5, "advantage_floor": 0.5}
    options["advantage_shaping"] = "dependency"
    old = {view: x.log_probs for view, x in said(model, ("original", "removing")).items()}
    found = {}
    for tokens in ("response", "perception"):
        settings = TrainerSettings(options=options | {"policy_tokens": tokens})
        wanted = settings.needs(client)
        found[tokens] = shaping.shape(client, wanted, settings.loss, log_probs=old, response_mask=mask)
    expected, scale = in_process.vppo_shaping(old["original"], old["removing"], mask, share=0.25, floor=0.5)
    assert found["response"].tokens is None and torch.equal(found["perception"].tokens.bool(), expected)
    for shape in found.values():
        torch.testing.assert_close(shape.scale.double(), scale.double(), rtol=1e-5, atol=1e-6)


def test_a_view_that_is_kept_has_no_entropies(client):
    """The old policy's log-probabilities stand for a constant view; its entropies are those of its own pass."""
    scaled = {"advantage_shaping": "dependency"}
    for options, kept in (({}, ()), (scaled, ("removing",)), (scaled | {"detector": "entropy"}, ())):
        wanted = TrainerSettings(preset="papo-g", options=options).needs(client)
        assert (wanted.kept, wanted.constant) == (kept, ("removing",))
        assert wanted.old == (("original", "removing") if options else ())


def test_counting_needs_no_scale(url):
    given = {"entropy": {view: x.entropy for view, x in said(Model(), ("original", "removing")).items()}, **batch()}
    with Perception(url) as client:
        expected = client.count(**given)
        assert client.count(advantage_shaping="dependency", advantage_floor=0.5, **given) == expected > 0
