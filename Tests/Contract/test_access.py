"""Who is let in, told by tokens that change while the server runs; and what strangers and scanners see of it."""

import os
import re
import signal
import socket
import subprocess

import pytest
import requests

import serving

BINARY = os.environ.get("PERCEPTION_SERVER_BINARY")
pytestmark = pytest.mark.skipif(not BINARY, reason="needs a binary to start")


def status(url, token=None, path="/v1/info"):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.get(url + path, headers=headers, timeout=10, allow_redirects=False).status_code


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "tokens"
    path.write_text("first-token\n")
    path.chmod(0o600)
    return path


def refused(*arguments, **variables):
    """The one line that a server which does not start says."""
    done = serving.finished(BINARY, "serve", "--port", "0", *arguments, **variables)
    assert done.returncode == 1, done
    lines = (done.stdout + done.stderr).splitlines()
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.parametrize("content, words", [
    ("", "no token"), ("\n \n", "no token"), ("good-token-1\nshort\n", "line 2"), ("a secret with blanks\n", "line 1"),
    ("good-token-1\n# secret comment\n", "line 2"), ("x" * 513 + "\n", "513 characters"),
    ("good-token-1\n" * 100_000, "more than"), ("tökensecret\n", "line 1")])
def test_a_file_that_is_not_all_tokens_is_refused_in_a_line_that_tells_none_of_them(file, content, words):
    file.write_text(content)
    line = refused("--token-file", str(file))
    assert words in line and str(file) in line
    assert not re.search("good-token|secret|short|xxx", line.replace(str(file), ""))


def test_tokens_of_the_environment_are_checked_as_well():
    for content in (" ", ",", "good-token-1,s3cret", "good-token-1 s3cret,b\u00e4d-token-1"):
        line = refused(PERCEPTION_TOKENS=content)
        assert "PERCEPTION_TOKENS" in line and "s3cret" not in line and "token-1" not in line
    # Not set, or set to nothing as compose files do it: there is none.
    assert "without a token" in refused("--host", "0.0.0.0", PERCEPTION_TOKENS="")


def test_tokens_come_from_the_file_and_the_environment_together(file):
    file.write_text("first-token\r\n\n  second-token  \n")
    with serving.started(
        BINARY, "--port", "0", "--host", "0.0.0.0", "--token-file", str(file), PERCEPTION_TOKENS="third-token,fourth-token",
    ) as (_, lines):
        url = lines.address.replace("0.0.0.0", "127.0.0.1")
        assert [status(url, f"{n}-token") for n in ("first", "second", "third", "fourth", "fifth")] == [200] * 4 + [401]
        assert status(url) == 401 and status(url, path="/readyz") == 200
    assert not any("PERCEPTION_TOKENS" in line or "-token" in line for line in lines.seen)


def test_who_else_may_write_to_the_file_is_warned_of(file):
    file.chmod(0o622)
    with serving.started(BINARY, "--port", "0", "--token-file", str(file)) as (_, lines):
        assert lines.wait_for("may write to the token file")
    assert not any("first-token" in line for line in lines.seen)


def test_sighup_takes_the_tokens_that_the_file_holds_now(file):
    with serving.started(
        BINARY, "--port", "0", "--token-file", str(file), PERCEPTION_TOKENS="of-the-environment",
    ) as (process, lines):
        url = lines.address
        session = requests.Session()
        assert session.get(url + "/v1/info", headers={"Authorization": "Bearer first-token"}, timeout=10).status_code == 200
        # As orchestrators do it.
        new = file.with_name("new")
        new.write_text("second-token\nthird-token\n")
        new.rename(file)
        assert status(url, "second-token") == 401
        process.send_signal(signal.SIGHUP)
        assert lines.wait_for("tokens reloaded tokens=3")
        assert [status(url, t) for t in ("first-token", "second-token", "third-token", "of-the-environment")] == [
            401, 200, 200, 200]
        # On a connection that the old token had opened, too.
        assert session.get(url + "/v1/info", headers={"Authorization": "Bearer first-token"}, timeout=10).status_code == 401


@pytest.mark.parametrize("content", ["", "\n", "short\n", "good-token-1\nwith blanks inside\n", None])
def test_a_file_that_is_wrong_leaves_the_tokens_as_they_were(file, content):
    with serving.started(BINARY, "--port", "0", "--token-file", str(file)) as (process, lines):
        file.unlink()
        if content is not None:
            file.write_text(content)
        process.send_signal(signal.SIGHUP)
        assert lines.wait_for("tokens not reloaded")
        found = [line for line in lines.seen if "tokens not reloaded" in line]
        assert "ERROR" in found[0] and str(file) in found[0]
        assert [status(lines.address, t) for t in ("first-token", "good-token-1", None)] == [200, 401, 401]
        file.unlink(missing_ok=True)
        file.write_text("second-token\n")
        process.send_signal(signal.SIGHUP)
        assert lines.wait_for("tokens reloaded tokens=1")
        assert [status(lines.address, t) for t in ("first-token", "second-token")] == [401, 200]


def test_a_request_that_has_begun_is_not_asked_again(file):
    body = b'{"rewards": [1, 0], "group_ids": [0, 0]}'
    with serving.started(BINARY, "--port", "0", "--token-file", str(file)) as (process, lines):
        host, port = lines.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as begun:
            head = (f"POST /v1/advantages HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer first-token\r\n"
                    f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n")
            begun.sendall(head.encode())
            assert begun.recv(1000).startswith(b"HTTP/1.1 100 ")
            file.write_text("second-token\n")
            process.send_signal(signal.SIGHUP)
            assert lines.wait_for("tokens reloaded tokens=1")
            begun.sendall(body)
            assert begun.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_sighup_without_a_file_changes_nothing():
    for environment in ({}, {"PERCEPTION_TOKENS": "first-token"}):
        with serving.started(BINARY, "--port", "0", **environment) as (process, lines):
            process.send_signal(signal.SIGHUP)
            assert lines.wait_for("nothing to reload")
            assert status(lines.address, "first-token") == 200
            assert status(lines.address) == (401 if environment else 200)


def test_signals_that_mean_nothing_to_it_end_nothing():
    with serving.started(BINARY, "--port", "0") as (process, lines):
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE, signal.SIGALRM):
            process.send_signal(number)
        process.send_signal(signal.SIGHUP)
        assert lines.wait_for("nothing to reload")
        assert process.poll() is None and status(lines.address) == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_bursts_of_sighup_neither_end_it_nor_keep_it_from_ending(file, number):
    file.write_text("".join(f"token-{n:06}\n" for n in range(2_000)))
    with serving.started(BINARY, "--port", "0", "--token-file", str(file), "--log-level", "error") as (process, lines):
        burst = subprocess.Popen(["sh", "-c", f"while kill -HUP {process.pid}; do :; done 2>/dev/null"])
        try:
            assert status(lines.address, "token-000007") == 200
            process.send_signal(number)
            assert process.wait(serving.STOP_SECONDS) == 0
        finally:
            burst.kill()
            burst.wait()


@pytest.mark.parametrize("turn", range(8))
def test_sighup_from_the_first_moment_that_it_can_be_sent_ends_nothing(file, turn):
    """Sent over and over from the line in which it says that it waits for signals."""
    with serving.started(BINARY, "--port", "0", "--token-file", str(file)) as (process, lines):
        for _ in range(20):
            process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        assert process.wait(serving.STOP_SECONDS) == 0
        assert lines.wait_for("stopped")


# What OWASP's list for REST services asks of every answer.
FIELDS = {
    "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin", "Server": "perception-server",
}
# Of the pages, which fetch what they show from the server they came from.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")


def test_every_answer_has_what_scanners_look_for(file):
    with serving.started(BINARY, "--port", "0", "--token-file", str(file), "--max-body-bytes", "1000") as (_, lines):
        url, token = lines.address, {"Authorization": "Bearer first-token"}
        routes = requests.get(url + "/v1/info", headers=token, timeout=10).json()["routes"]
        replies = [
            requests.request(method, url + route["path"].replace("{name}", "papo-removing"), headers=headers, timeout=20,
                             allow_redirects=False)
            for route in routes for method in (route["method"], "OPTIONS", "PUT") for headers in (token, {})]
        replies.append(requests.get(url + "/nothing", headers=token, timeout=10))
        # Refused in the middle of a body of unknown length.
        replies.append(requests.post(
            url + "/v1/perturb?recipe=papo-removing", (b"x" * 1000 for _ in range(100)),
            headers=token | {"Content-Type": "image/png"}, timeout=20))
        replies.append(requests.get(url + "/v1/info", headers={"X-Long": "x" * 40_000}, timeout=10))
        # Two hosts at once.
        replies.append(requests.get(url + "/v1/info", headers={"Host": "a,b"}, timeout=10))
        found = {reply.status_code for reply in replies}
        assert {200, 204, 400, 401, 404, 405, 413, 431} <= found, found
        for reply in replies:
            expected = dict(FIELDS)
            if "ETag" in reply.headers:
                # The pages: they run scripts, and are kept.
                expected |= {"Cache-Control": "no-cache", "Content-Security-Policy": PAGE_POLICY}
            for name, value in expected.items():
                assert reply.headers.get(name) == value, (reply.request.method, reply.url, reply.status_code, name)


def test_pages_need_no_token_and_are_sent_once(file):
    with serving.started(BINARY, "--port", "0", "--token-file", str(file)) as (_, lines):
        for path in ("/", "/docs", "/live", "/assets/docs.html"):
            reply = requests.get(lines.address + path, timeout=10)
            assert (reply.status_code, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
            assert reply.headers["Content-Security-Policy"] == PAGE_POLICY
            again = requests.get(lines.address + path, headers={"If-None-Match": reply.headers["ETag"]}, timeout=10)
            assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", reply.headers["ETag"])
            head = requests.head(lines.address + path, timeout=10)
            # RFC 9110, section 8.6: of what a GET would have been given, or none.
            for bare in (again, head):
                assert bare.headers["Content-Length"] == str(len(reply.content))
        for path in ("/openapi.json", "/openapi.yaml", "/llms.txt"):
            assert requests.get(lines.address + path, timeout=10).status_code == 401


def test_metrics_can_be_opened(file):
    for arguments, environment, expected in (
        ((), {}, 401), (("--open-metrics",), {}, 200), ((), {"PERCEPTION_OPEN_METRICS": "1"}, 200),
    ):
        with serving.started(BINARY, "--port", "0", "--token-file", str(file), *arguments, **environment) as (_, lines):
            assert status(lines.address, path="/metrics") == expected
            assert status(lines.address, "first-token", path="/metrics") == 200
            assert status(lines.address) == 401


def test_access_lines_name_the_other_end_of_the_socket_whatever_it_claims(tmp_path):
    claims = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9", "X-Real-IP": "203.0.113.9"}
    for host, client in (("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("::", "127.0.0.1")):
        options = ["--insecure-no-auth"] if host == "::" else []
        with serving.started(BINARY, "--port", "0", "--host", host, *options) as (_, lines):
            url = lines.address.replace("[::]", "127.0.0.1")
            requests.get(url + "/v1/info", headers=claims, timeout=10)
            assert lines.wait_for(f" client={client} ")
        assert not any("203.0.113.9" in line for line in lines.seen)
    path = tmp_path / "socket"
    with serving.started(BINARY, "--listen", f"unix:{path}") as (_, lines):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(b"GET /v1/info HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")
            assert lines.wait_for(" client=unix ")


def test_only_its_own_user_may_connect_to_a_unix_socket_whatever_mask_it_was_started_with(tmp_path):
    path, shared = tmp_path / "socket", tmp_path / "shared"
    shared.mkdir()
    before = os.umask(0)
    try:
        with serving.started(BINARY, "--listen", f"unix:{path}", "--shared-dir", str(shared)):
            assert path.is_socket() and path.stat().st_mode & 0o277 == 0o200
            body = b'{"rewards": [1], "group_ids": [0]}'
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(path))
                client.sendall(b"POST /v1/advantages?output_file=result HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                               b"Content-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body))
                assert client.recv(100).startswith(b"HTTP/1.1 200 ")
            # Results are for others, too: the mask is as it was.
            assert (shared / "result").stat().st_mode & 0o777 == 0o644
    finally:
        os.umask(before)
