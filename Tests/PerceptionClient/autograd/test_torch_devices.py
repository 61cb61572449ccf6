"""Tensors on an accelerator: one copy each way. On machines without one, CPU tensors are taken for such."""

import numpy as np
import pytest
import torch
from reference import leaves

from perception_client import torch_arrays

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@pytest.fixture
def away(monkeypatch):
    monkeypatch.setattr(torch_arrays, "is_away", lambda tensor: True)


@pytest.fixture
def copies(monkeypatch):
    """Counts calls of Tensor.cpu."""
    made = []
    cpu = torch.Tensor.cpu
    monkeypatch.setattr(torch.Tensor, "cpu", lambda self: made.append(self.numel()) or cpu(self))
    return made


def test_all_kinds_travel_in_one_buffer(away, copies):
    given = {
        "a": torch.randn(3, 5).to(DEVICE), "b": torch.randn(7).bfloat16().to(DEVICE), "c": torch.tensor([True, False, True]).to(DEVICE),
        "d": torch.arange(5).to(DEVICE), "e": torch.zeros(0, 4).to(DEVICE), "f": torch.randn(4, 6).to(DEVICE)[:, ::2], "g": 3.5,
        "h": torch.randn(2, 3, dtype=torch.float64).to(DEVICE).requires_grad_(),
    }  # fmt: skip
    found = torch_arrays.gathered(given)
    assert len(copies) == 1
    for name, value in given.items():
        if name == "g":
            assert found["g"] == 3.5
            continue
        assert found[name].dtype == value.dtype and torch.equal(found[name].cpu(), value.detach().cpu()), name


def test_gradients_come_back_in_one_buffer(away, monkeypatch):
    moved = []
    to = torch.Tensor.to
    monkeypatch.setattr(torch.Tensor, "to", lambda self, *a, **k: moved.append(a) or to(self, *a, **k))
    like = [torch.zeros(2, 3, device=DEVICE), torch.zeros(4, device=DEVICE, dtype=torch.bfloat16), torch.zeros(1, device=DEVICE)]
    arrays = [np.arange(6, dtype="f4").reshape(2, 3), np.arange(4, dtype="f4"), None]
    first, second, third = torch_arrays.returned(arrays, like)
    assert third is None and first.shape == (2, 3) and second.dtype == torch.bfloat16
    assert first.flatten().tolist() == [0, 1, 2, 3, 4, 5] and second.tolist() == [0, 1, 2, 3]
    assert sum(isinstance(a[0], torch.device) for a in moved) == 1


def test_a_loss_of_tensors_that_are_away(client, batch, away, copies):
    log_probs, rest = leaves(batch)
    log_probs = {v: x.detach().to(DEVICE).requires_grad_() for v, x in log_probs.items()}
    put = lambda x: {k: put(v) for k, v in x.items()} if isinstance(x, dict) else x.to(DEVICE)  # noqa: E731
    loss = client.loss(log_probs, **put(rest))
    assert copies[0] > 1000 and all(n <= copies[0] for n in copies)
    loss.backward()
    assert loss.device.type == DEVICE and all(x.grad.device.type == DEVICE for x in log_probs.values())
    twin, _ = leaves(batch)
    client.loss(twin, **rest).backward()
    torch.testing.assert_close(log_probs["removing"].grad.cpu(), twin["removing"].grad)
