"""The port for those who only watch: plain HTTP beside TLS, and nothing to be had there but how the server is."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time

import pytest
import requests

import serving
from tls import options

BINARY = os.environ.get("PERCEPTION_SERVER_BINARY")
pytestmark = pytest.mark.skipif(not BINARY, reason="needs a binary to start")


@contextlib.contextmanager
def watched(*arguments):
    """The process, its URL, and that of its probes."""
    process = subprocess.Popen(
        [BINARY, "serve", "--port", "0", "--probe-port", "0", *arguments], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=serving.environment())
    try:
        url, probes = re.search(r"on (\S+), probes on (http://\S+)", process.stdout.readline()).groups()
        yield process, url, probes
    finally:
        process.terminate()
        process.errors = process.communicate(timeout=20)[1]
    assert process.returncode == 0, process.errors


def healthcheck(*arguments):
    done = serving.finished(BINARY, "healthcheck", *arguments)
    return done.returncode, done.stderr.strip()


def test_only_what_watches_is_answered(identity):
    with watched(*options(identity)) as (_, url, probes):
        assert url.startswith("https://")
        assert requests.get(probes + "/healthz").json() == {"status": "live"}
        assert requests.get(probes + "/readyz").json() == {"status": "ready"}
        assert requests.head(probes + "/readyz").status_code == 200
        assert "Strict-Transport-Security" not in requests.get(probes + "/healthz").headers
        for path in ("/", "/v1/info", "/v1/score", "/openapi.yaml", "/docs"):
            assert requests.get(probes + path).status_code == 404, path
            assert requests.post(probes + path, b"x" * 200_000).status_code == 404, path
        assert requests.post(probes + "/healthz").status_code == 405
        metrics = requests.get(probes + "/metrics").text
        assert re.search(r'requests_total\{method="GET",route="/healthz",status="200"\} 2\n', metrics)
        assert "\nperception_ready 1\n" in metrics
        # The main port has them, too.
        assert requests.get(url + "/metrics", verify=str(identity[0])).status_code == 200


def test_metrics_need_the_token_there_too(tmp_path):
    token = tmp_path / "token"
    token.write_text("open-sesame\n")
    with watched("--token-file", str(token)) as (_, _, probes):
        assert requests.get(probes + "/healthz").status_code == 200
        assert requests.get(probes + "/metrics").status_code == 401
        assert requests.get(probes + "/metrics", headers={"Authorization": "Bearer open-sesame"}).status_code == 200


def test_the_health_check_asks_there(identity):
    with watched(*options(identity)) as (_, url, probes):
        port, probe_port = (address.rsplit(":", 1)[1] for address in (url, probes))
        assert healthcheck("--probe-port", probe_port) == (0, "")
        assert healthcheck("--port", port, "--probe-port", probe_port, *options(identity)) == (0, "")
        code, line = healthcheck("--port", port, *options(identity))
        assert code == 1 and "--probe-port" in line and "\n" not in line
    code, line = healthcheck("--probe-port", probe_port)
    assert code == 1 and "does not answer" in line


def test_it_tells_of_a_drain_to_its_end(identity):
    with watched("--shutdown-grace-seconds", "20", "--max-body-bytes", "1000000") as (process, url, probes):
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), 20) as client:
            client.sendall(b"POST /v1/mask HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                           b"Content-Length: 2\r\n\r\n{")
            # Begun once the server has answered somebody after it.
            assert requests.get(url + "/readyz").status_code == 200
            process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + 10
            while requests.get(probes + "/readyz").status_code != 503:
                assert time.monotonic() < deadline
            assert requests.get(probes + "/healthz").status_code == 200
            assert "\nperception_ready 0\n" in requests.get(probes + "/metrics").text
            assert process.poll() is None
            client.sendall(b"}")
            assert client.recv(100).startswith(b"HTTP/1.1 ")
        assert process.wait(20) == 0


@pytest.mark.parametrize("is_main", [True, False])
def test_a_port_in_use_is_one_line(is_main):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ports = ("--port", port, "--probe-port", "0") if is_main else ("--port", "0", "--probe-port", port)
        done = serving.finished(BINARY, "serve", *ports)
    assert done.returncode == 1 and "in use" in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


def test_one_port_for_both_is_refused():
    for command in ("serve", "healthcheck"):
        done = serving.finished(BINARY, command, "--port", "18080", PERCEPTION_PROBE_PORT="18080")
        assert done.returncode == 64 and "must differ from --port" in done.stderr and not done.stdout, done


def test_beyond_loopback_it_needs_a_token_as_well(tmp_path):
    done = serving.finished(
        BINARY, "serve", "--listen", f"unix:{tmp_path}/socket", "--host", "0.0.0.0", "--probe-port", "0")
    assert done.returncode == 1 and "without a token" in done.stderr


def test_it_stands_beside_a_unix_socket(tmp_path):
    with watched("--listen", f"unix:{tmp_path}/socket") as (_, url, probes):
        assert url == f"unix:{tmp_path}/socket" or url.startswith("unix:")
        assert requests.get(probes + "/readyz").status_code == 200
