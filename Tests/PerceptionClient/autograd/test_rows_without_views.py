"""Rows of text alone, marked by `has_views`: what adapters do by the response mask, and what a mask cannot do."""

import pytest
import torch
from test_modes import Model, batch

from perception_client.trainers import modes, shaping
from perception_client.trainers.needs import needs

MARKED = torch.tensor([True, False, True, True])
OPTIONS = [
    {"preset": "cppo-verl"}, {"preset": "cppo-areal"}, {"preset": "bips-separation"},
    {"preset": "papo-g", "entropy_coefficients": {"removing": 0.05}},
    {"preset": "cppo-verl", "detector": "divergence", "aggregation": "seq-mean-token-mean"},
    {"preset": "cppo-verl", "aggregation": "seq-mean-token-sum-norm", "detector": "none"},
]  # fmt: skip


@pytest.mark.parametrize("option", OPTIONS)
def test_masking_a_rows_response_as_adapters_do_is_marking_it(client, option):
    found = []
    masked = {"response_mask": batch()["response_mask"] & MARKED[:, None]}
    for given in (masked, {"has_views": MARKED}):
        model = Model()
        value = modes.direct(client, model, model("original"), **batch() | given | option)
        value.backward()
        found.append((value.item(), client.last.gated, model.gradient()))
    (one, gated, gradient), (two, too, same) = found
    assert one == two and gated == too > 0
    assert torch.equal(gradient, same) and bool(gradient.any())


def test_vppos_shape_is_the_same(client):
    model = Model()
    log_probs = {view: model(view).log_probs.detach() for view in ("original", "removing")}
    mask = batch()["response_mask"]
    wanted, loss = needs(client, "vppo"), {"preset": "vppo"}
    shape = shaping.shape(client, wanted, loss, log_probs=log_probs, response_mask=mask & MARKED[:, None])
    log_probs["removing"][~MARKED] = float("nan")
    marked = client.mask(log_probs=log_probs, response_mask=mask, has_views=MARKED, preset="vppo")
    assert torch.equal(shape.scale, torch.tensor(marked.advantage_scale))
    assert torch.equal(shape.tokens, torch.tensor(marked.perception_mask))


def test_the_policy_loss_of_a_marked_row_stays(client):
    """The whole objective in one call: a mask would take the row out of the policy loss, too."""
    model = Model()
    given = batch() | {"old": model("original").log_probs.detach() - 0.1, "policy": "ppo"}
    passes = {view: model(view) for view in ("original", "preserving", "removing")}
    log_probs = {view: p.log_probs.detach().clone().requires_grad_() for view, p in passes.items()}
    entropy = {view: passes[view].entropy.detach() for view in ("original", "removing")}
    with torch.no_grad():
        for view in ("preserving", "removing"):
            log_probs[view][1] = float("nan")
    client.objective(log_probs, entropy=entropy, has_views=MARKED[:, None].float(), **given).backward()
    alone = passes["original"].log_probs.detach().clone().requires_grad_()
    client.objective({"original": alone}, preset="cppo-verl", terms=[], detector="none", gate="none", **given).backward()
    assert torch.equal(log_probs["original"].grad[1], alone.grad[1]) and bool(alone.grad[1].any())
    assert not log_probs["removing"].grad[1].any() and bool(log_probs["removing"].grad[0].any())
