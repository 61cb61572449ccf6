"""Gradients of logits in bfloat16: the bits that torch makes of F32, in half the reply, and without a copy."""

import numpy as np
import pytest
import torch

from perception_client import InvalidRequest, torch_arrays
from perception_client.safetensors_file import Stored

VIEWS = ("original", "preserving", "removing")
EVERY_TOKEN = {"preset": "cppo-paper", "detector": "none", "gate": "none"}
SUMMED = {
    "estimator": "jsd", "detector": "none", "gate": "none", "gradient_of": "objective",
    "entropy_coefficients": {"original": 0.3},
    "token_ids": torch.arange(10).reshape(2, 5),
}  # fmt: skip


def logits_of(dtype=torch.bfloat16, mask=None):
    generator = torch.Generator().manual_seed(3)
    made = {v: (3 * torch.randn(2, 5, 101, generator=generator)).to(dtype).requires_grad_() for v in VIEWS}
    return made, {} if mask is None else {"response_mask": mask}


def gradients(call, logits, **given):
    for x in logits.values():
        x.grad = None
    call(logits=logits, **given).backward()
    return {v: x.grad.clone() for v, x in logits.items()}


def sent_types(client, monkeypatch):
    """The element types that answers had, as they came."""
    found = []
    remember = client.remember

    def noted(score):
        found.append({getattr(score.arrays.stored(n), "dtype", None) for n in score.arrays if n.endswith(".logits")})
        return remember(score)

    monkeypatch.setattr(client, "remember", noted)
    return found


@pytest.mark.parametrize("options", [EVERY_TOKEN, SUMMED], ids=["alone", "summed"])
@pytest.mark.parametrize("mask", [None, torch.tensor([[1, 0, 1, 1, 0], [1, 1, 0, 0, 1]])], ids=["all", "some"])
def test_bfloat16_logits_get_the_bits_of_f32(client, monkeypatch, options, mask):
    logits, rest = logits_of(mask=mask)
    call = client.objective if "gradient_of" in options else client.loss
    options = {name: value for name, value in options.items() if name != "gradient_of"}
    types = sent_types(client, monkeypatch)
    wide = gradients(call, logits, result_type="F32", **options, **rest)
    narrow = gradients(call, logits, **options, **rest)
    asked = gradients(call, logits, result_type="BF16", **options, **rest)
    assert types == [{"F32"}, {"BF16"}, {"BF16"}]
    for view in VIEWS:
        assert narrow[view].dtype == torch.bfloat16 and narrow[view].abs().sum() > 0
        assert torch.equal(narrow[view].view(torch.int16), wide[view].view(torch.int16))
        assert torch.equal(asked[view].view(torch.int16), wide[view].view(torch.int16))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_other_logits_get_f32_unless_they_ask(client, monkeypatch, dtype):
    logits, _ = logits_of(dtype)
    types = sent_types(client, monkeypatch)
    wide = gradients(client.loss, logits, **EVERY_TOKEN)
    narrow = gradients(client.loss, logits, **EVERY_TOKEN, result_type="BF16")
    assert types == [{"F32"}, {"BF16"}]
    for view in VIEWS:
        assert narrow[view].dtype == dtype
        torch.testing.assert_close(narrow[view], wide[view].bfloat16().to(dtype), rtol=1e-2, atol=1e-6)


def test_a_mixture_gets_f32(client, monkeypatch):
    logits, _ = logits_of()
    logits["removing"] = logits["removing"].detach().float().requires_grad_()
    types = sent_types(client, monkeypatch)
    gradients(client.loss, logits, **EVERY_TOKEN)
    logits["removing"] = logits["removing"].detach()
    client.loss(logits=logits, **EVERY_TOKEN).backward()
    assert types == [{"F32"}, {"BF16"}]


def test_log_probs_take_the_option_too(client, batch):
    log_probs = {v: torch.tensor(x).requires_grad_() for v, x in batch["log_probs"].items()}
    rest = {k: v for k, v in batch.items() if k != "log_probs"}
    client.loss(log_probs, **rest).backward()
    wide = {v: x.grad.clone() for v, x in log_probs.items()}
    for x in log_probs.values():
        x.grad = None
    client.loss(log_probs, **rest, result_type="BF16").backward()
    for view, x in log_probs.items():
        assert x.grad.dtype == torch.float32 and torch.equal(x.grad, wide[view].bfloat16().float())
    assert client.count(**batch, result_type="BF16") > 0


def test_a_step_without_a_graph_asks_for_none(client):
    logits, _ = logits_of()
    with torch.no_grad():
        loss = client.loss(logits=logits, **EVERY_TOKEN)
    assert not loss.requires_grad and not [n for n in client.last.arrays if n.startswith("grad.")]


def test_another_type_is_refused_by_the_server(client):
    logits, _ = logits_of()
    with pytest.raises(InvalidRequest, match="result_type"):
        client.loss(logits=logits, **EVERY_TOKEN, result_type="F16")


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_a_tensor_shares_the_memory_of_the_reply_where_it_may(kind):
    data = kind(np.arange(12, dtype="<u2").tobytes())
    (made,) = torch_arrays.returned([Stored("BF16", (3, 4), data)], [torch.empty(0, dtype=torch.bfloat16)])
    assert made.dtype == torch.bfloat16 and made.shape == (3, 4)
    assert made.view(torch.int16).flatten().tolist() == list(range(12))
    where = np.frombuffer(data, np.uint16).__array_interface__["data"][0]
    assert (made.data_ptr() == where) == (kind is bytearray)
    (empty,) = torch_arrays.returned([Stored("BF16", (0, 4), kind())], [torch.empty(0, dtype=torch.bfloat16)])
    assert empty.shape == (0, 4)


def test_where_every_row_carries_loss_the_gradient_is_the_reply(client, monkeypatch):
    from perception_client import torch_loss

    logits, _ = logits_of()
    kept = []
    scattered = torch_loss._scattered
    monkeypatch.setattr(torch_loss, "_scattered", lambda *given: kept.append(scattered(*given)) or kept[-1])
    client.loss(logits=logits, **EVERY_TOKEN)
    for view, made in zip(VIEWS, kept, strict=True):
        tensor = client.last.arrays.stored(f"grad.{view}.logits")
        where = np.frombuffer(tensor.data, np.uint8).__array_interface__["data"][0]
        assert made.shape == (2, 5, 101) and made.dtype == torch.bfloat16 and made.data_ptr() == where
