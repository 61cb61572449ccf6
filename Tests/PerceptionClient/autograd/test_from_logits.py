"""`token_statistics`: right to float64, differentiable, and small."""

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from perception_client import token_statistics


def usual(logits, ids, temperature=1.0):
    z = (logits / temperature).log_softmax(-1)
    return z.gather(-1, ids[..., None])[..., 0], -(z.exp() * z).sum(-1)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize(("temperature", "chunk"), [(1.0, None), (0.7, 1), (2.0, 3), (1.0, 1000)])
def test_numbers_and_gradients_are_the_usual_expressions(dtype, temperature, chunk):
    g = torch.Generator().manual_seed(1)
    logits = (5 * torch.randn(3, 7, 101, generator=g)).to(dtype).requires_grad_()
    ids = torch.randint(0, 101, (3, 7), generator=g)
    weights = torch.randn(3, 7, generator=g).double()
    twin = logits.detach().double().requires_grad_()
    log_probs, entropy = token_statistics(logits, ids, temperature, chunk)
    expected, expected_entropy = usual(twin, ids, temperature)
    assert log_probs.dtype == entropy.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    torch.testing.assert_close(log_probs.double(), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(entropy.double(), expected_entropy, rtol=1e-5, atol=1e-5)
    assert not entropy.requires_grad
    (log_probs.double() * weights).sum().backward()
    (expected * weights).sum().backward()
    assert logits.grad.dtype == dtype
    low = dtype in (torch.bfloat16, torch.float16)
    torch.testing.assert_close(logits.grad.double(), twin.grad, rtol=1e-2 if low else 1e-4, atol=1e-2 if low else 1e-5)


def test_a_masked_vocabulary_gives_no_nan():
    logits = torch.zeros(2, 4, requires_grad=True)
    masked = logits.masked_fill(torch.tensor([[False, False, True, True], [False, True, True, True]]), -float("inf"))
    log_probs, entropy = token_statistics(masked, torch.tensor([0, 0]))
    log_probs.sum().backward()
    assert entropy.tolist() == pytest.approx([0.6931472, 0.0]) and torch.isfinite(logits.grad).all()
    assert log_probs.tolist() == pytest.approx([-0.6931472, 0.0])


def test_shapes_and_temperatures_that_are_wrong():
    with pytest.raises(ValueError, match=r"token_ids: expected \[2\], found \[3\]"):
        token_statistics(torch.zeros(2, 4), torch.zeros(3, dtype=torch.long))
    with pytest.raises(ValueError, match="temperature"):
        token_statistics(torch.zeros(2, 4), torch.zeros(2, dtype=torch.long), 0)


def peak(function):
    """Most bytes that torch held at once while the function ran, beyond what it held before."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        function()
    held = highest = 0
    for event in profiler.profiler.kineto_results.events():
        if event.name() == "[memory]":
            held += event.nbytes()
            highest = max(highest, held)
    return highest


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_peak_memory_is_below_two_chunks_beside_the_gradient(dtype):
    rows, vocabulary, chunk = 512, 20_000, 64
    logits = torch.randn(rows, vocabulary).to(dtype).requires_grad_()
    ids = torch.randint(0, vocabulary, (rows,))
    one = chunk * vocabulary * 4

    def forward():
        with torch.no_grad():
            token_statistics(logits, ids, chunk=chunk)

    def both():
        token_statistics(logits, ids, chunk=chunk)[0].sum().backward()

    assert 0.9 * one < peak(forward) < 2 * one
    gradient = logits.numel() * logits.element_size()
    assert peak(both) - gradient < 2 * one

    def usually():
        usual(logits.float(), ids)[0].sum().backward()

    logits.grad = None
    assert peak(usually) > 5 * peak(forward), "what it is better than"
