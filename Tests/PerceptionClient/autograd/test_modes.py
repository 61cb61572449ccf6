"""The four modes of trainers' adapters, each equal to the others where mathematics says so, on a small model."""

import sys

import pytest
import torch
from ranks import on_ranks

from features import REPOSITORY
from perception_client import Perception
from perception_client.trainers.modes import Pass, cached, detached, direct, grad_cache, rows
from perception_client.trainers.needs import needs
from scripted import free_port

sys.path.append(str(REPOSITORY / "Tests/Trainers"))
import in_process

VIEWS = ("original", "preserving", "removing")
B, T, V, D = 4, 24, 11, 6
PRESETS = ("cppo-verl", "papo-g", "vppo", "bips-consistency", "bips-separation")


class Model(torch.nn.Module):
    """Log-probabilities and entropies of a linear layer with a nonlinearity, of features that differ by view."""

    def __init__(self):
        super().__init__()
        draw = torch.Generator().manual_seed(3)
        self.inner = torch.nn.Parameter(torch.randn(D, D, generator=draw))
        self.outer = torch.nn.Parameter(torch.randn(D, V, generator=draw))
        picture = torch.randn(B, T, D, generator=draw)
        # Near enough to the original that the caps of BiPS do not act, which would leave no gradient to compare.
        self.seen = {v: picture + torch.randn(B, T, D, generator=draw) * far for v, far in zip(VIEWS, (0, 0.1, 0.2), strict=True)}
        self.ids = torch.randint(V, (B, T), generator=draw)
        self.calls = []

    def forward(self, view):
        self.calls.append((view, torch.is_grad_enabled()))
        logs = (torch.tanh(self.seen[view] @ self.inner) @ self.outer).log_softmax(-1)
        return Pass(logs.gather(-1, self.ids[..., None])[..., 0], -(logs.exp() * logs).sum(-1))

    def gradient(self):
        return torch.cat([torch.zeros(p.numel()) if p.grad is None else p.grad.reshape(-1) for p in self.parameters()])


def batch():
    return {
        "response_mask": torch.arange(T) < torch.tensor([T, 9, T, 3])[:, None],
        "advantages": torch.tensor([1.0, -0.5, 0.25, 2.0]),
    }


def rewards(preset):
    return {"rewards": torch.tensor([1.0, 0.0, 0.6, 0.2])} if preset == "bips-consistency" else {}


def by_direct(client, model, preset="cppo-verl", **option):
    model.zero_grad()
    loss = direct(client, model, model("original"), preset=preset, **batch(), **rewards(preset), **option)
    loss.backward()
    return loss.item(), model.gradient()


@pytest.mark.parametrize("preset", PRESETS)
def test_direct_is_the_loss_in_process(client, preset):
    model = Model()
    value, gradient = by_direct(client, model, preset)
    model.zero_grad()
    passes = {v: model(v) for v in VIEWS}
    given = batch()
    expected = in_process.loss(
        preset, {v: p.log_probs for v, p in passes.items()}, {v: p.entropy for v, p in passes.items()},
        given["response_mask"], given["advantages"], rewards(preset).get("rewards"))  # fmt: skip
    expected.backward()
    assert value == pytest.approx(expected.item(), rel=1e-5) and value != 0
    assert model.gradient().norm() > 1e-4
    torch.testing.assert_close(gradient, model.gradient(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("preset", [*PRESETS, "papo-recompute", "cppo-areal"])
def test_grad_cache_is_direct(client, preset):
    model = Model()
    value, gradient = by_direct(client, model, preset, factor=0.25)
    model.zero_grad()
    loss = grad_cache(client, model, model("original"), preset=preset, factor=0.25, **batch(), **rewards(preset))
    loss.backward()
    assert loss.item() == pytest.approx(value, rel=1e-6)
    torch.testing.assert_close(model.gradient(), gradient, rtol=1e-5, atol=1e-8)


def test_cached_before_the_trainers_own_pass_is_direct(client):
    model = Model()
    value, gradient = by_direct(client, model)
    model.zero_grad()
    held = cached(client, model, **batch())
    loss = held.attach(model("original").log_probs)
    (3 * loss).backward()
    # What the other views gave is there already, so that only the original's part is tripled.
    part = torch.autograd.grad(held.attach(model("original").log_probs), list(model.parameters()))
    torch.testing.assert_close(
        model.gradient() - 2 * torch.cat([p.reshape(-1) for p in part]), gradient, rtol=1e-5, atol=1e-8)  # fmt: skip
    assert loss.item() == pytest.approx(value, rel=1e-6)


def test_grad_cache_holds_one_graph_at_a_time(client):
    model = Model()
    cached(client, model, **batch())
    assert model.calls == [
        ("original", False), ("preserving", False), ("removing", False), ("preserving", True), ("removing", True)
    ]  # fmt: skip


def test_views_without_gradient_are_run_without_a_graph(client):
    model = Model()
    direct(client, model, model("original"), preset="papo-g", **batch())
    assert model.calls == [("original", True), ("removing", False)]
    assert needs(client, "papo-g").constant == ("removing",) and needs(client, "papo-recompute").graph == ("original", "removing")


def test_the_trainers_own_backward_scales(client):
    """As a loss scaler does: what it multiplies the other views' part by is what it multiplies the rest by."""
    model = Model()
    _, gradient = by_direct(client, model)
    model.zero_grad()
    loss = grad_cache(client, model, model("original"), backward=lambda x: (8 * x).backward(), **batch())
    (8 * loss).backward()
    torch.testing.assert_close(model.gradient(), 8 * gradient, rtol=1e-5, atol=1e-7)


STOPPED = {"cppo-verl": ["preserving", "removing"], "papo-recompute": ["removing"]}


@pytest.mark.parametrize("preset", [*PRESETS, "papo-recompute"])
def test_detached_is_direct_with_the_other_views_stopped(client, preset):
    """Most presets stop them already."""
    model = Model()
    value, gradient = by_direct(client, model, preset, **({"stop_gradient": STOPPED[preset]} if preset in STOPPED else {}))
    model.zero_grad()
    with torch.no_grad():
        others = {v: model(v) for v in needs(client, preset).others}
    loss = detached(client, model("original"), others, preset=preset, **batch(), **rewards(preset))
    loss.backward()
    assert loss.item() == pytest.approx(value, rel=1e-6) and gradient.norm() > 1e-4
    torch.testing.assert_close(model.gradient(), gradient, rtol=1e-6, atol=1e-9)


def test_detached_refuses_estimators_that_leave_nothing(client):
    model = Model()
    with pytest.raises(ValueError, match="estimator k1"):
        detached(client, model("original"), {v: model(v) for v in VIEWS[1:]}, preset="cppo-areal", **batch())


@pytest.mark.parametrize("preset", [*PRESETS, "papo-recompute", "cppo-areal"])
def test_rows_at_the_old_policy_are_direct(client, preset):
    model = Model()
    value, gradient = by_direct(client, model, preset, factor=0.5)
    model.zero_grad()
    with torch.no_grad():
        passes = {v: model(v) for v in ("original", *needs(client, preset).others)}
    made = rows(client, passes, preset=preset, factor=0.5, **batch(), **rewards(preset))
    for view, weight in made.weights.items():
        (-(weight * model(view).log_probs).sum()).backward()
    assert made.value == pytest.approx(value, rel=1e-6)
    torch.testing.assert_close(model.gradient(), gradient, rtol=1e-5, atol=1e-8)


def test_a_preset_over_the_vocabulary_is_refused(client):
    model = Model()
    with pytest.raises(ValueError, match="full_kl"):
        direct(client, model, model("original"), preset="cppo-paper", **batch())
    loss = direct(client, model, model("original"), preset="cppo-paper", estimator="k3", **batch())
    assert loss.item() > 0


def test_a_trainer_without_entropies_is_told(client):
    model = Model()

    def silent(view):
        return Pass(model(view).log_probs)

    with pytest.raises(ValueError, match="detector='divergence'"):
        direct(client, silent, silent("original"), **batch())
    assert direct(client, silent, silent("original"), detector="divergence", **batch()).item() > 0


def test_a_model_that_does_not_repeat_itself_is_refused_by_grad_cache(client):
    model = Model()

    def with_dropout(view):
        made = model(view)
        return Pass(made.log_probs * (1 + torch.rand(B, T)), made.entropy)

    with pytest.raises(RuntimeError, match="dropout"):
        grad_cache(client, with_dropout, model("original"), **batch())


@pytest.mark.parametrize("preset", ["cppo-verl", "papo-g"])
@pytest.mark.parametrize("mode", ["direct", "grad_cache", "detached"])
def test_a_skipped_call_runs_the_same_passes_and_leaves_no_gradient(url, mode, preset):
    """Presets come from a server that is there; the loss's call goes to one that is not."""
    client = Perception(url, deadline=0.5, on_error="skip")
    needs(client, preset)
    there, model = Model(), Model()
    run(mode, client, there, preset)
    client._transport = Perception(f"http://127.0.0.1:{free_port()}", deadline=0.5)._transport
    loss = run(mode, client, model, preset)
    assert loss == 0 and (model.gradient() == 0).all() and client.skipped == 1 and client.last.skipped
    assert model.calls == there.calls and there.gradient().norm() > 0


def run(mode, client, model, preset, **option):
    given = batch() | {"preset": preset} | option
    if mode == "detached":
        with torch.no_grad():
            others = {v: model(v) for v in needs(client, preset).others}
        loss = detached(client, model("original"), others, **given)
    else:
        loss = {"direct": direct, "grad_cache": grad_cache}[mode](client, model, model("original"), **given)
    loss.backward()
    return loss.item()


def on_rank(rank, url, mode):
    """One rank's server is away: both make the same passes, and none gets a gradient."""
    client, model = Perception(url, deadline=2, on_error="skip"), Model()
    needs(client)
    if rank == 1:
        client._transport = Perception(f"http://127.0.0.1:{free_port()}", deadline=0.5)._transport
    loss = run(mode, client, model, "cppo-verl")
    return loss, float(model.gradient().norm()), client.skipped, model.calls


@pytest.mark.parametrize("mode", ["direct", "grad_cache", "detached"])
def test_ranks_skip_together(url, mode):
    first, second = on_ranks(2, on_rank, url, mode)
    assert first == second and first[:3] == (0.0, 0.0, 1)


def test_without_gradients_a_value_is_all_there_is(client):
    model = Model()
    expected, _ = by_direct(client, model)
    model.zero_grad()
    model.calls.clear()
    with torch.no_grad():
        for mode in (direct, grad_cache):
            loss = mode(client, model, model("original"), **batch())
            assert not loss.requires_grad and loss.item() == pytest.approx(expected, rel=1e-6)
    assert not any(graph for _, graph in model.calls) and (model.gradient() == 0).all()


def test_the_whole_batch_may_be_cut_into_micro_batches(client):
    """Sequences add up; entropy terms and caps do not, and say so."""
    model = Model()
    option = {"preset": "cppo-verl", "aggregation": "seq-mean-token-mean"}
    model.zero_grad()
    direct(client, model, model("original"), **batch(), **option).backward()
    whole = model.gradient()
    model.zero_grad()
    for part in (slice(0, 2), slice(2, 4)):
        cut = lambda view: Pass(model(view).log_probs[part], model(view).entropy[part])  # noqa: E731, B023
        given = {name: x[part] for name, x in batch().items()}
        direct(client, cut, cut("original"), **given, **option, normalise="sequences", global_batch_size=B).backward()
    torch.testing.assert_close(model.gradient(), whole, rtol=1e-5, atol=1e-8)
    for preset in ("papo-g", "bips-separation"):
        with pytest.raises(ValueError, match="does not add up"):
            direct(
                client, model, model("original"), preset=preset, **batch(), normalise="sequences", global_batch_size=B
            )  # fmt: skip
