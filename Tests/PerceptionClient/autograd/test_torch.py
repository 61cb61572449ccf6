"""`loss` in torch: value, gradients, and everything that trainers' tensors are."""

import numpy as np
import pytest
import torch
from reference import cppo, k1, leaves

from features import needs

VIEWS = ("original", "preserving", "removing")


def in_process(client, log_probs, rest, **kwargs):
    """The reference's loss and gradients over the server's mask."""
    mask = client.score(log_probs=log_probs, **rest, return_=["mask"]).mask
    twins = {v: x.detach().clone().requires_grad_() for v, x in log_probs.items()}
    loss = cppo(twins, torch.tensor(mask), **kwargs)
    loss.backward()
    return loss, {v: x.grad for v, x in twins.items()}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_value_and_gradients_are_the_losss(client, batch, dtype):
    log_probs, rest = leaves(batch, dtype)
    expected, gradients = in_process(client, log_probs, rest)
    loss = client.loss(log_probs, **rest)
    assert loss.shape == () and loss.dtype == dtype and loss.requires_grad
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    loss.backward()
    for view in VIEWS:
        grad = log_probs[view].grad
        assert grad.dtype == dtype
        torch.testing.assert_close(grad, gradients[view].to(dtype), rtol=2e-6, atol=1e-9)


def test_other_presets_and_options(client, batch):
    log_probs, rest = leaves(batch)
    expected, gradients = in_process(client, log_probs, rest, divergence=k1, tau=0.3)
    mask = client.score(log_probs=log_probs, **rest, return_=["perception_mask"]).perception_mask
    loss = client.loss(log_probs, **rest, estimator="k1", clamp_input=None, clamp_result=10, tau=0.3)
    (0.25 * loss).backward()
    assert mask.any() and loss.item() == pytest.approx(expected.item(), rel=1e-6)
    torch.testing.assert_close(log_probs["removing"].grad, 0.25 * gradients["removing"], rtol=2e-6, atol=1e-9)


def test_it_is_part_of_a_larger_graph(client, batch):
    """Parameters behind the log-probabilities, another loss beside, a coefficient, and two backward passes."""
    log_probs, rest = leaves(batch)
    weight = torch.tensor(0.7, requires_grad=True)
    made = {v: x.detach() * weight for v, x in log_probs.items()}
    total = weight**2 + 0.01 * client.loss(made, **rest)
    total.backward(retain_graph=True)
    once = weight.grad.clone()
    total.backward()
    torch.testing.assert_close(weight.grad, 2 * once)

    twin = torch.tensor(0.7, requires_grad=True)
    mask = torch.tensor(client.last.mask)
    (twin**2 + 0.01 * cppo({v: x.detach() * twin for v, x in log_probs.items()}, mask)).backward()
    torch.testing.assert_close(once, twin.grad, rtol=1e-5, atol=1e-8)


def test_what_stands_outside_the_mask_harms_nothing(client, batch):
    log_probs, rest = leaves(batch)
    expected = client.loss(log_probs, **rest)
    outside = ~rest["response_mask"]
    for poison in (float("nan"), -float("inf"), float("inf"), 5.0):
        poisoned = {v: x.detach().masked_fill(outside, poison).requires_grad_() for v, x in log_probs.items()}
        entropy = {v: x.masked_fill(outside, poison) for v, x in rest["entropy"].items()}
        loss = client.loss(poisoned, **rest | {"entropy": entropy})
        loss.backward()
        assert loss.item() == expected.item()
        for x in poisoned.values():
            assert torch.isfinite(x.grad).all() and (x.grad[outside] == 0).all()


def test_a_second_derivative_is_refused(client, batch):
    log_probs, rest = leaves(batch)
    (first,) = torch.autograd.grad(client.loss(log_probs, **rest), [log_probs["original"]], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable|does not require grad"):
        first.sum().backward()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_low_precision_goes_and_comes_back(client, batch, dtype):
    log_probs, rest = leaves(batch, dtype)
    rest["entropy"] = {v: x.to(dtype) for v, x in rest["entropy"].items()}
    expected, gradients = in_process(client, log_probs, rest)
    loss = client.loss(log_probs, **rest)
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    for view in VIEWS:
        assert log_probs[view].grad.dtype == dtype
        torch.testing.assert_close(log_probs[view].grad, gradients[view], rtol=0.01, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.bool, torch.float32, torch.bfloat16, torch.int64, torch.uint8])
def test_masks_of_any_type(client, batch, dtype):
    log_probs, rest = leaves(batch)
    expected = client.loss(log_probs, **rest).item()
    assert client.loss(log_probs, **rest | {"response_mask": rest["response_mask"].to(dtype)}).item() == expected


@pytest.mark.parametrize("shape", ["[B,1]", "[B,T]", "int", "bf16", "graph"])
def test_advantages_of_any_kind(client, batch, shape):
    log_probs, rest = leaves(batch)
    a = torch.tensor([1.0, -1.0, 0.5, 2.0]) if shape != "int" else torch.tensor([1.0, -1.0, 0.0, 2.0])
    expected = client.loss(log_probs, **rest | {"advantages": a}).item()
    given = {
        "[B,1]": a[:, None], "[B,T]": a[:, None].expand(4, 48), "int": a.long(), "bf16": a.bfloat16(),
        "graph": a.clone().requires_grad_(),
    }[shape]  # fmt: skip
    assert client.loss(log_probs, **rest | {"advantages": given}).item() == expected


def test_shared_storage_and_strides(client, batch):
    _, rest = leaves(batch)
    wide = torch.zeros(3, 4, 96)
    for k, v in enumerate(VIEWS):
        wide[k, :, ::2] = torch.tensor(batch["log_probs"][v])
    wide.requires_grad_()
    expected = client.loss({v: torch.tensor(x) for v, x in batch["log_probs"].items()}, **rest).item()
    loss = client.loss({v: wide[k, :, ::2] for k, v in enumerate(VIEWS)}, **rest)
    loss.backward()
    assert loss.item() == expected
    assert (wide.grad[..., 1::2] == 0).all() and (wide.grad[..., ::2] != 0).any()
    same = wide[0, :, ::2]
    assert client.loss(dict.fromkeys(VIEWS, same), **rest).item() == pytest.approx(np.log(2), rel=1e-6)


def test_full_vocabulary_estimators_send_gradients_to_the_logits(client):
    generator = torch.Generator().manual_seed(3)
    logits = {v: torch.randn(2, 5, 11, generator=generator).requires_grad_() for v in VIEWS}
    mask = torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    given = {"response_mask": mask, "preset": "cppo-paper", "gate": "none"}
    loss = client.loss(logits=logits, **given)
    loss.backward()
    carried = torch.tensor(client.last.mask).bool()
    assert carried.any() and not carried.all()

    twins = {v: x.detach().double().requires_grad_() for v, x in logits.items()}
    z = {v: x.log_softmax(-1) for v, x in twins.items()}
    kl = lambda ref: (z["original"].exp() * (z["original"] - z[ref])).sum(-1)  # noqa: E731
    expected = torch.nn.functional.softplus((kl("preserving") - kl("removing"))[carried] / 0.1).mean()
    expected.backward()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    for view in VIEWS:
        torch.testing.assert_close(logits[view].grad, twins[view].grad.float(), rtol=1e-4, atol=1e-6)


def test_packed_tensors(client, batch):
    log_probs, rest = leaves(batch)
    counts = rest["response_mask"]
    flat = {v: x.detach()[counts].requires_grad_() for v, x in log_probs.items()}
    edges = torch.cat([torch.zeros(1), counts.sum(1).cumsum(0)]).int()
    entropy = {v: x[counts] for v, x in rest["entropy"].items()}
    packed = client.loss(flat, entropy=entropy, cu_seqlens=edges, advantages=rest["advantages"])
    padded = client.loss(log_probs, **rest)
    packed.backward()
    padded.backward()
    assert packed.item() == pytest.approx(padded.item(), rel=1e-7)
    torch.testing.assert_close(flat["original"].grad, log_probs["original"].grad[counts])


def test_last_is_for_logging(client, batch):
    log_probs, rest = leaves(batch)
    loss = client.loss(log_probs, **rest)
    last = client.last
    assert last.loss == pytest.approx(loss.item(), rel=1e-6) and last.server_ms > 0
    assert last.diagnostics["gated"] == int(last.mask.sum())
    assert last.token_loss is None and last.full().token_loss.shape == (4, 48)
    assert last.full().loss == last.loss


def test_last_belongs_to_its_thread(client, batch):
    import threading

    log_probs, rest = leaves(batch)
    seen = {}

    def work(tau):
        for _ in range(5):
            client.loss(log_probs, **rest, tau=tau)
            seen.setdefault(tau, set()).add(client.last.options["tau"])

    threads = [threading.Thread(target=work, args=(t,)) for t in (0.1, 0.2, 0.3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert seen == {0.1: {0.1}, 0.2: {0.2}, 0.3: {0.3}}


def test_numpy_is_sent_to_score(client, batch):
    with pytest.raises(TypeError, match="torch tensors or JAX arrays, not ndarray; score"):
        client.loss(**batch)
    with pytest.raises(TypeError, match="a loss needs log_probs"):
        client.loss(entropy=batch["entropy"])


def test_options_that_would_change_only_the_gradients_are_refused(client, batch):
    log_probs, rest = leaves(batch)
    with pytest.raises(ValueError, match="multiply the loss instead"):
        client.loss(log_probs, **rest, grad_scale=2)


def test_views_that_take_no_part_are_not_named_in_what_is_asked_for(client, batch, edition):
    needs(edition, "terms")
    log_probs, rest = leaves(batch)
    for terms in ([{"anchor": "original", "reference": "removing", "weight": -1}], []):
        loss = client.loss(log_probs, **rest, terms=terms)
        loss.backward()
        assert (log_probs["preserving"].grad == 0).all()


@pytest.mark.parametrize("preset", ["papo-g", "papo-d", "bips-consistency", "bips-separation"])
def test_loss_is_the_loss_and_objective_the_objective(client, batch, preset, edition):
    """In presets with entropy terms, whose default gradient is the objective's."""
    needs(edition, "gradient_of", "entropy_coefficients")
    r = np.random.default_rng(2)
    for name in ("loss", "objective"):
        log_probs, rest = leaves(batch)
        given = dict(rest)
        if preset == "bips-consistency":
            given["rewards"] = torch.tensor([1.0, 0, 1, 1])
            del given["advantages"]
        value = getattr(client, name)(log_probs, **given, preset=preset, loss_cap=None)
        value.backward()
        step = {v: r.normal(size=(4, 48)).astype("f8") for v in VIEWS}
        stopped = client.last.options["stop_gradient"]
        base = {v: x.detach().double().numpy() for v, x in log_probs.items()}

        def at(h, name=name, step=step, base=base, stopped=stopped, given=given):
            moved = {v: np.minimum(x + (0 if v in stopped else h) * step[v], 0) for v, x in base.items()}
            return getattr(client.score(log_probs=moved, **given, preset=preset, loss_cap=None, return_=[]), name)

        slope = (at(1e-6) - at(-1e-6)) / 2e-6
        found = sum(float((log_probs[v].grad.double().numpy() * step[v]).sum()) for v in VIEWS)
        assert found == pytest.approx(slope, rel=1e-3, abs=1e-6)
        assert value.item() == pytest.approx(at(0), rel=1e-5)


def test_a_policy_loss_in_the_same_call(client, batch, edition):
    needs(edition, "policy")
    log_probs, rest = leaves(batch)
    old = log_probs["original"].detach() + 0.1 * torch.randn(4, 48).clamp(-1, 1)
    value = client.objective(log_probs, **rest, old=old.clamp(max=0), policy="ppo")
    value.backward()
    expected = client.last.scalars["policy_loss"] + client.last.weighted_loss
    assert value.item() == pytest.approx(expected, rel=1e-6)
    assert (log_probs["original"].grad != 0).any()
