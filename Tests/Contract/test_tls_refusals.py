"""Refusals over TLS reach their client, also one that is still sending."""

import os

import pytest
import requests

import wire
from tls import LARGE, connection, context, head, read_to_end

BINARY = os.environ.get("PERCEPTION_SERVER_BINARY")
pytestmark = pytest.mark.skipif(not BINARY, reason="needs a binary to start")


def test_a_client_that_asks_first_is_told_before_it_sends(secure, identity):
    with connection(secure, context(identity)) as client:
        client.sendall(head("/v1/entropy", f"Content-Type: {wire.MEDIA_TYPE}", "Content-Length: 2000",
                            "Expect: 100-continue"))
        assert client.recv(1 << 16) == b"HTTP/1.1 100 Continue\r\n\r\n"
    with connection(secure, context(identity)) as client:
        client.sendall(head("/v1/score", "Content-Type: application/json", f"Content-Length: {1 << 50}",
                            "Expect: 100-continue"))
        assert read_to_end(client).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("path, fields, status", [
    ("/v1/score", [f"Content-Type: {wire.MEDIA_TYPE}", f"Content-Length: {1 << 50}"], 413),
    ("/v1/nowhere", [f"Content-Length: {1 << 50}"], 404),
    ("/v1/score", ["Content-Type: text/plain", "Transfer-Encoding: chunked"], 415),
    ("/v1/score", [f"Content-Length: {LARGE}", "Transfer-Encoding: chunked"], 400),
], ids=lambda value: str(value) if isinstance(value, int) else "")
def test_a_refusal_reaches_a_client_that_is_sending(secure, identity, path, fields, status):
    with connection(secure, context(identity)) as client:
        chunk = b"10000\r\n" + bytes(1 << 16) + b"\r\n"
        client.sendall(head(path, *fields))
        # Nor does a reset keep it from sending some more before it reads.
        for _ in range(48):
            client.sendall(chunk)
        answer = read_to_end(client)
    assert answer.startswith(b"HTTP/1.1 %d " % status) and answer.count(b"HTTP/1.1") == 1
    assert b"\r\nConnection: close" in answer.replace(b"connection: Close", b"Connection: close")


@pytest.mark.parametrize("is_chunked", [True, False])
def test_what_is_wrong_in_the_middle_of_a_body_is_said_at_its_end(secure, identity, is_chunked):
    body = b"\x05" + bytes(LARGE // 2)  # a header of five bytes, which is no JSON
    field = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {len(body)}"
    pieces = [body[i:i + (1 << 20)] for i in range(0, len(body), 1 << 20)]
    if is_chunked:
        pieces = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces] + [b"0\r\n\r\n"]
    with connection(secure, context(identity)) as client:
        client.sendall(head("/v1/entropy", f"Content-Type: {wire.MEDIA_TYPE}", field))
        for piece in pieces:
            client.sendall(piece)
        received = b""
        while b'"malformed-safetensors"' not in received:
            piece = client.recv(1 << 16)
            assert piece, received
            received += piece
        assert received.startswith(b"HTTP/1.1 400 ")
        if is_chunked:
            # What follows a chunked body is no request.
            assert b"\r\nconnection: close" in received.lower() and b"HTTP/1.1" not in read_to_end(client)
        else:
            # Read to its end, the body leaves the connection usable.
            client.sendall(head("/healthz", "Connection: close", method="GET"))
            assert b"HTTP/1.1 200 " in read_to_end(client)


def test_a_body_without_end_is_cut_off_without_an_answer(secure, identity):
    chunk = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
    with connection(secure, context(identity)) as client:
        client.sendall(head("/v1/score", "Content-Type: application/json", "Transfer-Encoding: chunked"))
        with pytest.raises(OSError):
            # The limit, a gigabyte, and what buffers hold.
            for _ in range(1200):
                client.sendall(chunk)
    assert requests.get(secure + "/healthz", verify=str(identity[0])).status_code == 200
