"""Bodies that are computed on while they arrive, over a socket: sized and chunked, in pieces, with answers in mid-body."""

import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import urllib.parse

import numpy as np
import pytest

import serving
import wire

VOCABULARY = 50_000
BLOCK_ROWS = 20


def block():
    values = np.random.default_rng(7).normal(0, 4, (BLOCK_ROWS, VOCABULARY)).astype(np.float32)
    return values.view(np.uint32) >> 16


def header_of(tensors):
    """The first bytes of a file with these (name, type, shape, bytes) in this order."""
    entries, start = {}, 0
    for name, dtype, shape, count in tensors:
        entries[name] = {"dtype": dtype, "shape": shape, "data_offsets": [start, start + count]}
        start += count
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text, start


class Request:
    """One POST whose body goes out piece by piece."""

    def __init__(self, server, target, fields):
        address = urllib.parse.urlsplit(server)
        self.socket = socket.create_connection((address.hostname, address.port), timeout=60)
        self.socket.sendall(
            f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {wire.MEDIA_TYPE}\r\n{fields}\r\n".encode())

    def answer(self):
        """(status, body); the server may have closed its half before all was sent."""
        content = b""
        while b"\r\n\r\n" not in content:
            content += self.received()
        head, _, body = content.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
        while len(body) < length:
            body += self.received()
        return int(head.split()[1]), body

    def received(self):
        piece = self.socket.recv(1 << 16)
        assert piece, "the server closed without an answer"
        return piece

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


@pytest.fixture(scope="module")
def fresh():
    """(base URL, process id) of a server that has held nothing yet."""
    binary = os.environ.get("PERCEPTION_SERVER_BINARY")
    if not binary:
        pytest.skip("memory is measured of a server that is started here")
    process = subprocess.Popen(
        [binary, "serve", "--port", "0"], stdout=subprocess.PIPE, text=True, env=serving.environment())
    try:
        yield serving.ADDRESS.search(process.stdout.readline())[0], process.pid
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def peak_bytes(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])


def test_a_body_of_300_megabytes_leaves_no_trace_in_memory(fresh):
    server, pid = fresh
    rows = block().astype(np.uint16)
    data = rows.tobytes()
    repeats = 300_000_000 // len(data)
    count = repeats * BLOCK_ROWS
    ids = (np.arange(count, dtype=np.int64) % VOCABULARY).tobytes()
    head, size = header_of([
        ("token_ids", "I64", [count], len(ids)), ("logits", "BF16", [count, VOCABULARY], repeats * len(data))])
    with Request(server, "/v1/entropy", f"Content-Length: {len(head) + size}\r\n") as request:
        request.socket.sendall(head + ids)
        for _ in range(repeats):
            request.socket.sendall(data)
        status, body = request.answer()
    assert status == 200, body[:500]
    found = wire.read(body)[0]
    logits = (rows.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    shifted = logits - logits.max(1, keepdims=True)
    log_probs = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    entropy = -(np.exp(log_probs) * log_probs).sum(1)
    np.testing.assert_allclose(found["entropy"].values, np.tile(entropy, repeats), atol=2e-6)
    token = np.arange(count) % VOCABULARY
    np.testing.assert_allclose(
        found["log_probs"].values, log_probs[np.arange(count) % BLOCK_ROWS, token], atol=1e-5)
    assert peak_bytes(pid) < 64e6, peak_bytes(pid)


@pytest.mark.parametrize("fields", ["", "Expect: 100-continue\r\n"], ids=["sized", "expect"])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_pieces_of_any_size_give_the_same_bytes(server, http, fields, chunked):
    shape = [3, 2, 700]
    random = np.random.default_rng(3)
    tensors = {"token_ids": wire.Stored.of(random.integers(0, 700, shape[:2]))}
    for view in wire.VIEWS:
        tensors[f"{view}.logits"] = wire.Stored.of(random.normal(0, 3, shape).astype(np.float32))
    tensors["advantages"] = wire.Stored.of(np.ones(3, np.float32))
    body = wire.write(tensors)
    expected = http.post(server + "/v1/score", data=body, headers={"Content-Type": wire.MEDIA_TYPE}, timeout=60)
    assert expected.status_code == 200, expected.text
    length = "Transfer-Encoding: chunked\r\n" if chunked else f"Content-Length: {len(body)}\r\n"
    with Request(server, "/v1/score", length + fields) as request:
        request.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if fields:
            assert request.received().startswith(b"HTTP/1.1 100")
        start = 0
        while start < len(body):
            piece = body[start : start + int(random.integers(1, 4000))]
            request.socket.sendall(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            start += len(piece)
        if chunked:
            request.socket.sendall(b"0\r\n\r\n")
        status, found = request.answer()
    assert status == 200
    assert found == expected.content


@pytest.mark.parametrize("wrong", ["header", "row"])
def test_what_is_wrong_is_answered_while_gigabytes_are_still_to_come(server, wrong):
    rows = block().astype(np.uint16)
    if wrong == "row":
        rows[3, 11] = 0x7FC0
    count = 80_000
    head, size = header_of([("logits" if wrong == "row" else "logit", "BF16", [count, VOCABULARY], count * VOCABULARY * 2)])
    with Request(server, "/v1/entropy", f"Content-Length: {len(head) + size}\r\n") as request:
        request.socket.sendall(head + (rows.tobytes() if wrong == "row" else b""))
        status, body = request.answer()
    problem = json.loads(body)
    assert status == problem["status"]
    if wrong == "row":
        assert problem["type"] == "non-finite-value" and problem["errors"][0]["index"] == [3]
    else:
        assert problem["type"] == "unknown-field" and problem["errors"][0]["field"] == "logit"


def test_logits_that_must_be_held_and_do_not_fit_are_refused_with_advice(server):
    count = 80_000
    head, size = header_of([
        ("logits", "BF16", [count, VOCABULARY], count * VOCABULARY * 2), ("token_ids", "I32", [count], 4 * count)])
    with Request(server, "/v1/entropy", f"Content-Length: {len(head) + size}\r\n") as request:
        request.socket.sendall(head)
        status, body = request.answer()
    problem = json.loads(body)
    assert (status, problem["type"]) == (507, "memory-budget-exceeded")
    assert "token_ids" in problem["detail"] and problem["limit"] > 0
