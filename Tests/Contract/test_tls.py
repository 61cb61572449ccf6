"""TLS itself: which versions and ciphers are spoken, and that nothing else is on the wire or in the log."""

import contextlib
import os
import re
import socket
import ssl
import subprocess
import urllib.parse

import pytest
import requests

from tls import connection, context, head, options, read_to_end

BINARY = os.environ.get("PERCEPTION_SERVER_BINARY")
pytestmark = pytest.mark.skipif(not BINARY, reason="needs a binary to start")


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
