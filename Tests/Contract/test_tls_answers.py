"""Answers over TLS: those of a plain server, whole, whenever they are read and whatever ends meanwhile."""

import contextlib
import os
import re
import subprocess
import threading

import numpy as np
import pytest
import requests

import serving
import wire
from tls import LARGE, connection, context, head, options, read_to_end

BINARY = os.environ.get("PERCEPTION_SERVER_BINARY")
pytestmark = pytest.mark.skipif(not BINARY, reason="needs a binary to start")


@pytest.fixture
def session(identity):
    with requests.Session() as session:
        # Else a variable of the machine's decides whom to trust.
        session.trust_env = False
        session.verify = str(identity[0])
        yield session


def logits(rows):
    random = np.random.default_rng(5)
    return wire.write({"logits": wire.Stored.of(random.normal(size=(rows, 32_000)).astype(np.float32))})


def full(rows):
    """A body whose score, with gradients of logits, is several megabytes."""
    random = np.random.default_rng(rows)
    tensors = {f"{view}.logits": random.normal(size=(1, rows, 32_000)).astype(np.float32) for view in wire.VIEWS}
    tensors |= {"token_ids": random.integers(0, 32_000, (1, rows)), "advantages": np.ones(1, np.float32)}
    return wire.write({k: wire.Stored.of(v) for k, v in tensors.items()})


def test_answers_carry_what_a_browser_and_a_client_must_know(secure, session):
    reply = session.get(secure + "/v1/info")
    assert reply.json()["tls"] is True
    for answer in (reply, session.get(secure + "/nowhere"), session.get(secure + "/healthz")):
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_answers_are_those_of_a_plain_server(secure, session):
    rollouts = {"options": {"preset": "cppo-verl", "detector": "none", "gate": "none"}, "rollouts": [
        {view: {"log_probs": [-0.5, -1.5]} for view in wire.VIEWS}]}
    tensor_type = {"Content-Type": wire.MEDIA_TYPE}
    calls = [
        dict(method="GET", url="/v1/presets"), dict(method="GET", url="/openapi.yaml"),
        dict(method="HEAD", url="/v1/recipes"),
        dict(method="GET", url="/v1/recipes/cppo-removing/preview"),
        dict(method="POST", url="/v1/score", json=rollouts),
        # A result of several pieces, larger than what is sent at once.
        dict(method="POST", url="/v1/score?preset=cppo-paper&detector=none", data=full(48), headers=tensor_type),
        # Computed on as it arrives, in chunks of the client's own.
        dict(method="POST", url="/v1/entropy", headers=tensor_type,
             data=lambda body=logits(64): (body[i:i + 70_001] for i in range(0, len(body), 70_001))),
        dict(method="POST", url="/v1/score", data=b"{", headers={"Content-Type": "application/json"}),
    ]

    def answers(url, session):
        for call in calls:
            call = {k: v() if callable(v) else v for k, v in call.items()}
            reply = session.request(**call | {"url": url + call["url"]}, timeout=60)
            yield reply.status_code, re.sub(rb'"request_id":"\w+"', b"", reply.content), reply.headers["Content-Type"]

    with serving.running(BINARY, "--max-body-bytes", str(LARGE)) as plain, requests.Session() as other:
        found, expected = list(answers(secure, session)), list(answers(plain, other))
    assert [status for status, *_ in expected] == [200] * 7 + [400]
    assert found == expected
    assert max(len(content) for _, content, _ in found) > 1 << 20


def test_one_connection_carries_many_requests(secure, identity):
    with connection(secure, context(identity)) as client:
        for _ in range(100):
            client.sendall(head("/healthz", method="GET"))
            received = b""
            while not received.endswith(b"}"):
                received += client.recv(4096)
            assert received.startswith(b"HTTP/1.1 200 ")
        # Several in one record, then one in many.
        client.sendall(head("/healthz", method="GET") * 20)
        received = b""
        while received.count(b"live") < 20:
            received += client.recv(1 << 16)
        for byte in head("/healthz", "Connection: close", method="GET"):
            client.sendall(bytes([byte]))
        assert read_to_end(client).count(b"HTTP/1.1 200 ") == 1


def test_a_client_that_reads_late_gets_the_whole_answer(secure, identity, session):
    body = full(40)
    path = "/v1/score?preset=cppo-paper&detector=none"
    expected = session.post(secure + path, body, headers={"Content-Type": wire.MEDIA_TYPE}).content
    with connection(secure, context(identity), receive_buffer=16_384) as client:
        client.sendall(head(path, f"Content-Type: {wire.MEDIA_TYPE}", f"Content-Length: {len(body)}",
                            "Connection: close") + body)
        received = b""
        for _ in range(500):
            received += client.recv(150)
        received += read_to_end(client)
    fields, _, content = received.partition(b"\r\n\r\n")
    if b"transfer-encoding: chunked" in fields.lower():
        joined = b""
        while content:
            size, _, content = content.partition(b"\r\n")
            joined, content = joined + content[:int(size, 16)], content[int(size, 16) + 2:]
        content = joined
    assert content == expected and len(content) > 4 << 20


@pytest.mark.parametrize("turn", range(3))
def test_a_drain_under_load_cuts_no_answer(identity, turn):
    process = subprocess.Popen(
        [BINARY, "serve", "--port", "0", "--log-level", "error", *options(identity)], stdout=subprocess.PIPE, text=True)
    url = re.search(r"https://\S+", process.stdout.readline())[0]
    body = b'{"options": {"gate": "none"}, "original.entropy": [[' + b"0.5, " * 2000 + b'1]], "removing.entropy": [[' \
        + b"0.7, " * 2000 + b"1]]}"
    request = head("/v1/mask", "Content-Type: application/json", f"Content-Length: {len(body)}") + body
    cut, answered = [], []

    def send():
        received = b""
        with contextlib.suppress(OSError), connection(url, context(identity)) as client:
            while True:
                received = b""
                client.sendall(request)
                while not (found := re.match(rb"HTTP/1.1 (\d+) .*?Content-Length: (\d+).*?\r\n\r\n", received, re.S)) \
                        or len(received) < found.end() + int(found[2]):
                    piece = client.recv(1 << 16)
                    if not piece:
                        raise ConnectionResetError
                    received += piece
                answered.append(int(found[1]))
        if received and not (found and len(received) == found.end() + int(found[2])):
            cut.append(received)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    while len(answered) < 50 + 40 * turn:
        assert process.poll() is None
    process.terminate()
    for thread in threads:
        thread.join(20)
    assert process.wait(20) == 0 and not cut
    assert set(answered) <= {200, 503} and 200 in answered
