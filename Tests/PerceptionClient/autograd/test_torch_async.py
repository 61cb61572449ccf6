"""Losses from coroutines."""

import asyncio

import pytest
import torch
from reference import leaves

from perception_client import AsyncPerception, Unreachable
from scripted import free_port


def test_a_loss_from_a_coroutine_is_the_loss(url, client, batch):
    log_probs, rest = leaves(batch)
    expected = client.loss(log_probs, **rest, tau=0.3)
    expected.backward()
    gradient = log_probs["removing"].grad.clone()

    async def use():
        async with AsyncPerception(url) as a:
            loss = await a.loss(log_probs, **rest, tau=0.3)
            assert a.last.gated == client.last.gated and a.last.full().token_loss.shape == (4, 48)
            return loss

    loss = asyncio.run(use())
    log_probs["removing"].grad = None
    loss.backward()
    assert loss.item() == expected.item() and torch.equal(log_probs["removing"].grad, gradient)


def test_skipping_and_raising(batch):
    log_probs, rest = leaves(batch)
    nobody = f"http://127.0.0.1:{free_port()}"
    a = AsyncPerception(nobody, deadline=0.3, on_error="skip")
    loss = asyncio.run(a.loss(log_probs, **rest))
    loss.backward()
    assert loss.item() == 0 and a.skipped == 1
    with pytest.raises(Unreachable):
        asyncio.run(AsyncPerception(nobody, deadline=0.3).loss(log_probs, **rest))
