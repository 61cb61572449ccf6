"""What `loss` asks a server for in torch, and what it does when the answer is an error or none."""

import json
import logging

import numpy as np
import pytest
import torch
from reference import leaves

from perception_client import BrokenReply, IncompatibleVersion, InvalidRequest, Perception, Unreachable
from perception_client.safetensors_file import MEDIA_TYPE, Stored, decode, encode
from scripted import free_port, scripted

VIEWS = ("original", "preserving", "removing")


def asked(script):
    """What a scripted request wanted back."""
    tensors, metadata = decode(script.requests[-1].body)
    return set(tensors), json.loads(metadata["options"])["return"]


def an_answer(request):
    """The smallest answer to /v1/score, with the gradients that were asked for."""
    tensors, metadata = decode(request.body)
    wanted = json.loads(metadata["options"])["return"]
    names = [f"grad.{v}.log_probs" for v in VIEWS if "grad" in wanted or f"grad.{v}.log_probs" in wanted]
    arrays = {n: Stored.of(np.full(tensors["original.log_probs"].shape, 0.5, "f4")) for n in names}
    result = {"loss": 2.0, "options": {"gradient_of": "loss"}}
    body = b"".join(encode(arrays, {"result": json.dumps(result)}))
    request.answer(body=body, Content_Type=MEDIA_TYPE)


def test_gradients_nobody_needs_are_not_asked_for(batch):
    with scripted(default=an_answer) as script:
        client = Perception(script.url)
        log_probs, rest = leaves(batch)
        client.loss(log_probs, **rest)
        assert asked(script)[1] == ["mask", "grad"]
        client.loss(log_probs | {"removing": log_probs["removing"].detach()}, **rest).backward()
        assert asked(script)[1] == ["mask", "grad.original.log_probs", "grad.preserving.log_probs"]
        assert log_probs["removing"].grad is None and (log_probs["original"].grad == 0.5).all()
        with torch.no_grad():
            loss = client.loss(log_probs, **rest)
        assert asked(script)[1] == ["mask"] and not loss.requires_grad and loss.item() == 2
        loss = client.loss({v: x.detach() for v, x in log_probs.items()}, **rest)
        assert asked(script)[1] == ["mask"] and not loss.requires_grad


def test_one_round_trip_a_loss_and_none_a_backward_pass(batch):
    with scripted(default=an_answer) as script:
        client = Perception(script.url)
        log_probs, rest = leaves(batch)
        loss = client.loss(log_probs, **rest)
        loss.backward()
        assert len(script.requests) == 1 and script.connections == 1


def test_an_error_is_raised_by_default(batch):
    log_probs, rest = leaves(batch)
    with pytest.raises(Unreachable):
        Perception(f"http://127.0.0.1:{free_port()}", deadline=0.3).loss(log_probs, **rest)


def test_skipping_gives_a_zero_with_zero_gradients_and_says_so(batch, caplog):
    log_probs, rest = leaves(batch)
    client = Perception(f"http://127.0.0.1:{free_port()}", deadline=0.3, on_error="skip")
    with caplog.at_level(logging.WARNING, "perception_client"):
        loss = client.loss(log_probs, **rest)
    (1.0 + loss).backward()
    assert loss.item() == 0 and all((x.grad == 0).all() for x in log_probs.values())
    assert client.skipped == 1 and client.last.skipped and isinstance(client.last.error, Unreachable)
    assert "step skipped" in caplog.text and "refused" in caplog.text


def test_skipping_covers_a_batchs_bad_numbers_and_no_mistakes_of_the_program(url, batch):
    client = Perception(url, on_error="skip", deadline=10)
    log_probs, rest = leaves(batch)
    bad = {v: x.detach().clone() for v, x in log_probs.items()}
    bad["removing"][0, 3] = float("nan")
    bad = {v: x.requires_grad_() for v, x in bad.items()}
    loss = client.loss(bad, **rest)
    loss.backward()
    assert client.skipped == 1 and client.last.error.type == "non-finite-value"
    with pytest.raises(InvalidRequest, match="unknown-option"):
        client.loss(log_probs, **rest, tua=0.1)
    assert client.skipped == 1


def test_a_server_of_another_version_is_never_skipped(batch):
    log_probs, rest = leaves(batch)
    with scripted(default=an_answer) as script:
        script.info["version"] = "0.9.0"
        with pytest.raises(IncompatibleVersion):
            Perception(script.url, on_error="skip").loss(log_probs, **rest)


def test_gradients_of_something_else_are_refused(batch):
    """A preset whose default gradient is the objective's, from a server that does not say so."""
    log_probs, rest = leaves(batch)
    with scripted(default=an_answer) as script, pytest.raises(BrokenReply, match="gradients are of loss, not of objective"):
        Perception(script.url).objective(log_probs, **rest)
