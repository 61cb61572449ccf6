"""An answer that comes before its body has been sent reaches the client, also one that reads only once it has sent all."""

import http.client
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

import pytest
import requests

import serving
from tls import connection, context, head, options, read_to_end

BINARY = os.environ.get("PERCEPTION_SERVER_BINARY")
pytestmark = pytest.mark.skipif(not BINARY, reason="needs a binary to start")
TOKEN = "a-token-of-many-characters"
KNOWN = {"Authorization": f"Bearer {TOKEN}"}
JSON_LIMIT = 1_000_000
# More than all buffers of a connection hold together, and than the server reads before it answers.
SIZES = [5 << 20, 50 << 20, 200 << 20]
CASES = {
    401: ("/v1/score", {"Content-Type": "application/x-safetensors"}),
    404: ("/v1/nowhere", KNOWN),
    413: ("/v1/score", KNOWN | {"Content-Type": "application/json"}),
    415: ("/v1/score", KNOWN | {"Content-Type": "text/plain"}),
}
PIECE = os.urandom(1 << 20)


@pytest.fixture(scope="module", params=["plain", "tls"])
def place(request, identity, tmp_path_factory):
    """Base URL and the certificate to trust, or None."""
    file = tmp_path_factory.mktemp("early") / "token"
    file.write_text(TOKEN + "\n")
    secure = request.param == "tls"
    arguments = ["--token-file", str(file), "--max-json-body-bytes", str(JSON_LIMIT), *(options(identity) if secure else ())]
    with serving.running(BINARY, *arguments, authority=identity[0]) as url:
        yield url, str(identity[0]) if secure else None


def by_requests(url, authority, path, fields, size):
    with requests.Session() as session:
        session.trust_env = False
        return session.post(url + path, PIECE * (size >> 20), headers=fields, verify=authority, timeout=60).status_code


def by_requests_in_chunks(url, authority, path, fields, size):
    with requests.Session() as session:
        session.trust_env = False
        pieces = (PIECE for _ in range(size >> 20))
        return session.post(url + path, pieces, headers=fields, verify=authority, timeout=60).status_code


def by_http_client(url, authority, path, fields, size):
    address = urllib.parse.urlsplit(url)
    if authority:
        tls = ssl.create_default_context(cafile=authority)
        client = http.client.HTTPSConnection(address.hostname, address.port, context=tls, timeout=60)
    else:
        client = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    client.request("POST", path, PIECE * (size >> 20), fields)
    return client.getresponse().status


def by_curl(url, authority, path, fields, size):
    command = ["curl", "-s", "-o", os.devnull, "-w", "%{http_code}", "-X", "POST", "-H", "Expect:", "-T", "-", url + path]
    command += ["-H", f"Content-Length: {size}", "-H", "Transfer-Encoding:"]
    command += [part for name, value in fields.items() for part in ("-H", f"{name}: {value}")]
    command += ["--cacert", authority] if authority else []
    done = subprocess.run(command, input=PIECE * (size >> 20), capture_output=True, timeout=60)
    assert done.returncode == 0, done
    return int(done.stdout)


@pytest.mark.parametrize("send", [by_requests, by_requests_in_chunks, by_http_client, by_curl])
@pytest.mark.parametrize("status", CASES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size >> 20}MiB")
def test_a_refusal_is_seen(place, send, status, size):
    url, authority = place
    path, fields = CASES[status]
    # A reset is a matter of chance where little is sent.
    for _ in range(5 if size == SIZES[0] else 1):
        assert send(url, authority, path, fields, size) == status


@pytest.mark.parametrize("is_secure", [False, True])
def test_that_it_drains_is_seen_as_well(identity, is_secure):
    arguments = options(identity) if is_secure else ()
    with serving.started(BINARY, "--port", "0", *arguments) as (process, lines):
        url = lines.address
        with requests.Session() as session:
            session.trust_env, session.verify = False, str(identity[0])
            assert session.get(url + "/healthz", timeout=10).status_code == 200
            address = urllib.parse.urlsplit(url)
            plain = socket.create_connection((address.hostname, address.port), 20)
            holder = context(identity).wrap_socket(plain, server_hostname=address.hostname) if is_secure else plain
            holder.sendall(head("/v1/mask", "Content-Type: application/json", "Content-Length: 2") + b"{")
            deadline = time.monotonic() + 10
            # The one that asks, and the one that is held.
            while "\nperception_http_requests_in_flight 2\n" not in session.get(url + "/metrics", timeout=10).text:
                assert time.monotonic() < deadline
            process.send_signal(signal.SIGTERM)
            assert lines.wait_for("draining")
            reply = session.post(url + "/v1/entropy", PIECE * 50, headers={"Content-Type": "application/x-safetensors"}, timeout=60)
            assert reply.status_code == 503 and reply.headers["Retry-After"] == "1" and reply.json()["type"] == "draining"
            holder.sendall(b"}")
            assert holder.recv(100).startswith(b"HTTP/1.1 400 ")
            holder.close()


def test_whoever_stays_after_it_without_sending_is_let_go(place, identity):
    url, authority = place
    address = urllib.parse.urlsplit(url)
    client = socket.create_connection((address.hostname, address.port), 20)
    if authority:
        client = context(identity).wrap_socket(client, server_hostname=address.hostname)
    with client:
        client.sendall(head("/v1/score", f"Content-Length: {1 << 40}"))
        assert read_to_end(client).startswith(b"HTTP/1.1 401 ")
        # Beyond the answer nothing more comes, and after a while nobody takes anything.
        start = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() < start + 30:
                time.sleep(6)
                client.sendall(bytes(1 << 16))
    assert requests.get(url + "/healthz", verify=authority, timeout=10).status_code == 200


def test_many_who_are_refused_while_they_send_leave_room_for_others(place):
    url, authority = place
    failures = []

    def send():
        try:
            assert by_requests(url, authority, *CASES[401], 20 << 20) == 401
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=send) for _ in range(16)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert requests.get(url + "/healthz", verify=authority, timeout=5).status_code == 200
    assert not failures
    # None of their sockets is left. The server learns of the last ones' ends a moment after their clients.
    deadline = time.monotonic() + 20
    while (left := open_connections(url, authority)) > 1 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left <= 1


def open_connections(url, authority):
    metrics = requests.get(url + "/metrics", headers=KNOWN, verify=authority, timeout=10).text
    return int(re.search(r"^perception_http_connections (\d+)$", metrics, re.M)[1])
