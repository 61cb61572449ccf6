"""The server over TLS: the same answers, refusals that reach their client, and nothing but TLS on the wire."""

import contextlib
import os
import re
import socket
import ssl
import subprocess
import threading
import urllib.parse

import numpy as np
import pytest
import requests

import serving
import wire

BINARY = os.environ.get("PERCEPTION_SERVER_BINARY")
pytestmark = pytest.mark.skipif(not BINARY, reason="needs a binary to start")
# More than all buffers of a loopback connection hold.
LARGE = 24 << 20


def certificate(folder, name, *key):
    """Self-signed, for this machine's loopback, and its key."""
    files = folder / f"{name}.crt", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=perception", "-newkey", *key]
    command += ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-out", files[0], "-keyout", files[1]]
    subprocess.run(command, check=True, capture_output=True)
    return files


@pytest.fixture(scope="module")
def identity(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("tls"), "server", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")


def options(identity):
    return "--tls-certificate", str(identity[0]), "--tls-key", str(identity[1])


@pytest.fixture(scope="module")
def secure(identity):
    limits = ("--max-body-bytes", str(LARGE), "--max-streamed-body-bytes", str(8 * LARGE))
    with serving.running(BINARY, *options(identity), *limits, authority=identity[0]) as url:
        assert url.startswith("https://")
        yield url


@pytest.fixture
def session(identity):
    with requests.Session() as session:
        # Else a variable of the machine's decides whom to trust.
        session.trust_env = False
        session.verify = str(identity[0])
        yield session


def context(identity, lowest=ssl.TLSVersion.TLSv1_2, highest=ssl.TLSVersion.TLSv1_3):
    context = ssl.create_default_context(cafile=identity[0])
    context.minimum_version, context.maximum_version = lowest, highest
    return context


@contextlib.contextmanager
def connection(url, tls, receive_buffer=None):
    """A TLS connection; that the server's bytes are TLS and nothing else, the TLS library sees to."""
    address = urllib.parse.urlsplit(url)
    plain = socket.socket()
    if receive_buffer:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    plain.settimeout(20)
    plain.connect((address.hostname, address.port))
    with tls.wrap_socket(plain, server_hostname=address.hostname) as client:
        yield client


def head(path, *fields, method="POST"):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *fields, "", ""]).encode()


def read_to_end(client):
    """All that comes until the server closes; an end without TLS's own goodbye is an error."""
    received = b""
    while piece := client.recv(1 << 16):
        received += piece
    return received


def logits(rows):
    random = np.random.default_rng(5)
    return wire.write({"logits": wire.Stored.of(random.normal(size=(rows, 32_000)).astype(np.float32))})


def test_answers_carry_what_a_browser_and_a_client_must_know(secure, session):
    reply = session.get(secure + "/v1/info")
    assert reply.json()["tls"] is True
    for answer in (reply, session.get(secure + "/nowhere"), session.get(secure + "/healthz")):
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_of_tls_that_are_safe_are_spoken(secure, identity, version):
    with connection(secure, context(identity, version, version)) as client:
        assert client.version() == version.name.replace("_", ".")
        assert "GCM" in client.cipher()[0] or "CHACHA20" in client.cipher()[0]
        client.sendall(head("/healthz", "Connection: close", method="GET"))
        assert read_to_end(client).startswith(b"HTTP/1.1 200 ")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_older_versions_are_refused(secure, identity, version):
    old = context(identity, version, version)
    old.set_ciphers("ALL:@SECLEVEL=0")
    # The library closes without saying why.
    with pytest.raises(ssl.SSLError, match="EOF"), connection(secure, old):
        pass
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with connection(secure, old) as client:
        assert client.version() == "TLSv1.2"


def test_ciphers_without_forward_secrecy_are_refused(secure, identity):
    weak = context(identity, highest=ssl.TLSVersion.TLSv1_2)
    weak.set_ciphers("kRSA:SHA1:AES128-SHA:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError), connection(secure, weak):
        pass


def test_a_client_may_not_renegotiate(secure):
    address = urllib.parse.urlsplit(secure)
    client = subprocess.Popen(
        ["openssl", "s_client", "-tls1_2", "-connect", f"{address.hostname}:{address.port}"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    # The client reads commands only once it is connected; R asks for a new handshake.
    seen = b""
    while b"Verify return code" not in seen:
        seen += client.stdout.readline()
    client.stdin.write(b"R\n")
    client.stdin.flush()
    rest = client.stdout.read()
    client.stdin.close()
    client.wait(20)
    assert b"RENEGOTIATING" in rest and rest.count(b"Verify return code") < 2 and b"HTTP" not in rest


def test_answers_are_those_of_a_plain_server(secure, session):
    rollouts = {"options": {"preset": "cppo-verl", "detector": "none", "gate": "none"}, "rollouts": [
        {view: {"log_probs": [-0.5, -1.5]} for view in wire.VIEWS}]}
    random = np.random.default_rng(1)
    full = {f"{view}.logits": random.normal(size=(1, 48, 32_000)).astype(np.float32) for view in wire.VIEWS}
    full |= {"token_ids": random.integers(0, 32_000, (1, 48)), "advantages": np.ones(1, np.float32)}
    tensors = wire.write({k: wire.Stored.of(v) for k, v in full.items()})
    tensor_type = {"Content-Type": wire.MEDIA_TYPE}
    calls = [
        dict(method="GET", url="/v1/presets"), dict(method="GET", url="/openapi.yaml"),
        dict(method="HEAD", url="/v1/recipes"),
        dict(method="GET", url="/v1/recipes/cppo-removing/preview"),
        dict(method="POST", url="/v1/score", json=rollouts),
        # A result of several pieces, larger than what is sent at once.
        dict(method="POST", url="/v1/score?preset=cppo-paper&detector=none", data=tensors, headers=tensor_type),
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
    random = np.random.default_rng(2)
    full = {f"{view}.logits": random.normal(size=(1, 40, 32_000)).astype(np.float32) for view in wire.VIEWS}
    full |= {"token_ids": random.integers(0, 32_000, (1, 40)), "advantages": np.ones(1, np.float32)}
    body = wire.write({k: wire.Stored.of(v) for k, v in full.items()})
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
        # Read to its end, the body leaves the connection usable.
        client.sendall(head("/healthz", "Connection: close", method="GET"))
        assert b"HTTP/1.1 200 " in read_to_end(client)


def test_a_body_without_end_is_cut_off_without_an_answer(secure, identity):
    chunk = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
    with connection(secure, context(identity)) as client:
        client.sendall(head("/v1/score", "Content-Type: application/json", "Transfer-Encoding: chunked"))
        with pytest.raises(OSError):
            for _ in range(1000):
                client.sendall(chunk)
    assert requests.get(secure + "/healthz", verify=str(identity[0])).status_code == 200


def test_plain_http_gets_no_plain_answer(secure):
    address = urllib.parse.urlsplit(secure)
    with socket.create_connection((address.hostname, address.port), 20) as client:
        client.sendall(head("/healthz", method="GET"))
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := client.recv(4096):
                received += piece
    assert b"HTTP" not in received and len(received) < 16


def test_handshakes_that_stop_halfway_hinder_nobody(secure, identity):
    address = urllib.parse.urlsplit(secure)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    half = context(identity).wrap_bio(incoming, outgoing, server_hostname=address.hostname)
    with pytest.raises(ssl.SSLWantReadError):
        half.do_handshake()
    hello = outgoing.read()
    with contextlib.ExitStack() as stack:
        for index in range(300):
            client = stack.enter_context(socket.create_connection((address.hostname, address.port), 20))
            client.sendall([hello, hello[:1], b""][index % 3])
        for _ in range(20):
            assert requests.get(secure + "/healthz", verify=str(identity[0]), timeout=5).status_code == 200


def test_standard_error_holds_nothing_but_the_servers_own_lines(identity):
    command = [BINARY, "serve", "--port", "0", "--log-format", "json", "--log-level", "debug", *options(identity)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        port = int(re.search(r"https://127.0.0.1:(\d+)", process.stdout.readline())[1])
        for garbage in (b"GET / HTTP/1.1\r\n\r\n", bytes(100), b"\x16\x03\x01\x00\x05hello"):
            with socket.create_connection(("127.0.0.1", port), 20) as client, contextlib.suppress(OSError):
                client.sendall(garbage)
                client.shutdown(socket.SHUT_WR)
                client.recv(100)
    finally:
        process.terminate()
        lines = process.communicate(timeout=20)[1].splitlines()
    assert process.returncode == 0 and len(lines) >= 3
    assert all(line.startswith('{"') and line.endswith("}") for line in lines), lines


def refused(*arguments, **variables):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PERCEPTION_")} | variables
    done = subprocess.run(
        [BINARY, "serve", "--port", "0", *arguments], capture_output=True, text=True, timeout=20, env=environment)
    return done.returncode, done.stdout, done.stderr.strip()


def test_what_is_wrong_with_the_files_is_one_line(identity, tmp_path):
    other = certificate(tmp_path, "other", "rsa:2048")
    encrypted, damaged, binary = (tmp_path / name for name in ("encrypted", "damaged", "binary"))
    subprocess.run(["openssl", "pkcs8", "-topk8", "-in", identity[1], "-out", encrypted, "-passout", "pass:x"], check=True)
    damaged.write_text(identity[0].read_text().replace("M", "!"))
    binary.write_bytes(b"\x30\x82\x00\x01")
    missing, empty, pipe = tmp_path / "missing", tmp_path / "empty", tmp_path / "pipe"
    empty.write_text("")
    os.mkfifo(pipe)
    for chain, key, words in [
        (identity[0], other[1], "do not match"),
        (missing, identity[1], "No such file"), (identity[0], missing, "No such file"),
        (tmp_path, identity[1], "no regular file"), (pipe, identity[1], "no regular file"), (identity[0], pipe, "no regular file"),
        (identity[1], identity[1], "no certificate"), (identity[0], identity[0], "no private key"),
        (empty, identity[1], "no certificate"), (identity[0], empty, "no private key"),
        (identity[0], encrypted, "is encrypted"), (damaged, identity[1], "Base64"), (binary, identity[1], "not a PEM"),
    ]:
        code, out, err = refused(*options((chain, key)))
        assert code == 1 and not out and words in err and "\n" not in err, (words, err)
        assert err.startswith("perception-server: ") and "BEGIN" not in err


def test_a_certificate_and_its_key_go_together(identity):
    for option, other in (("--tls-certificate", "--tls-key"), ("--tls-key", "--tls-certificate")):
        code, _, err = refused(option, str(identity[0]))
        assert code == 64 and f"{option} needs {other}" in err


def test_tls_takes_the_place_of_no_token(identity):
    code, _, err = refused("--host", "0.0.0.0", *options(identity))
    assert code == 1 and "without a token" in err


def test_a_key_that_everyone_may_read_is_named(identity, tmp_path):
    key = tmp_path / "key"
    key.write_bytes(identity[1].read_bytes())
    for mode, is_exposed in ((0o644, True), (0o640, False)):
        key.chmod(mode)
        process = subprocess.Popen(
            [BINARY, "serve", "--port", "0", *options((identity[0], key))], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        assert "https://" in process.stdout.readline()
        process.terminate()
        assert ("may read the TLS key" in process.communicate(timeout=20)[1]) == is_exposed


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
