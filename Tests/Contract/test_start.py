"""What surrounds a server's start: addresses, variables of Kubernetes, limits of the system, no /proc."""

import contextlib
import ctypes
import os
import platform
import re
import signal
import socket
import struct
import subprocess
import time

import pytest
import requests

import serving
from tls import options

BINARY = os.environ.get("PERCEPTION_SERVER_BINARY")
pytestmark = pytest.mark.skipif(not BINARY, reason="needs a binary to start")
LINK = {
    "PERCEPTION_PORT": "tcp://10.96.0.7:8080", "PERCEPTION_SERVICE_HOST": "10.96.0.7", "PERCEPTION_SERVICE_PORT": "8080",
    "PERCEPTION_SERVICE_PORT_HTTP": "8080", "PERCEPTION_PORT_8080_TCP": "tcp://10.96.0.7:8080",
    "PERCEPTION_PORT_8080_TCP_PROTO": "tcp", "PERCEPTION_PORT_8080_TCP_PORT": "8080", "PERCEPTION_PORT_8080_TCP_ADDR": "10.96.0.7",
}
PROBE_LINK = {name.replace("PERCEPTION_", "PERCEPTION_PROBE_"): value for name, value in LINK.items()}


def script(folder, *lines):
    """A stand-in for the binary that does something before it becomes the binary."""
    path = folder / "start"
    path.write_text("\n".join(["#!/bin/sh", *lines, f'exec "{os.path.abspath(BINARY)}" "$@"', ""]))
    path.chmod(0o755)
    return str(path)


@contextlib.contextmanager
def listening(*command, **arguments):
    """The process of a command that serves, and its first line."""
    process = subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=arguments.pop("env", serving.environment()), **arguments)
    try:
        yield process, process.stdout.readline()
    finally:
        process.terminate()
        process.errors = process.communicate(timeout=20)[1]
    assert process.returncode == 0, process.errors


# Variables of Kubernetes


@pytest.mark.parametrize("command", ["serve", "healthcheck"])
@pytest.mark.parametrize("link, variable, service, option", [
    (LINK, "PERCEPTION_PORT", "perception", "--port"),
    (PROBE_LINK, "PERCEPTION_PROBE_PORT", "perception-probe", "--probe-port"),
    ({"PERCEPTION_PORT": "udp://[fd00::7]:53"}, "PERCEPTION_PORT", "perception", "--port"),
])
def test_a_service_link_in_the_place_of_a_port_is_named_in_one_line(command, link, variable, service, option):
    done = serving.finished(BINARY, command, **link)
    (line,) = (done.stdout + done.stderr).splitlines()
    assert done.returncode == 1
    for words in (f"{variable} is ", link[variable], f"Service named {service}:", "enableServiceLinks: false", option):
        assert words in line


def test_a_port_of_ones_own_makes_a_service_link_harmless_and_its_other_variables_are_one_notice():
    with serving.started(BINARY, "--port", "0", "--probe-port", "0", **LINK, **PROBE_LINK) as (_, lines):
        assert requests.get(lines.address + "/healthz", timeout=10).status_code == 200
    told = [line for line in lines.seen if "Service" in line]
    assert [re.search(r"NOTICE .* service=(\S+)", line)[1] for line in told] == ["perception", "perception-probe"]
    assert not any("no option" in line for line in lines.seen)
    # What is misspelt is still named.
    with serving.started(BINARY, "--port", "0", **LINK, PERCEPTION_SERVICE_PORTS="1") as (_, lines):
        pass
    assert [line.split("variable=")[1].strip() for line in lines.seen if "no option" in line] == ["PERCEPTION_SERVICE_PORTS"]


def test_another_value_that_is_no_port_is_said_as_before():
    done = serving.finished(BINARY, "serve", PERCEPTION_PORT="tcp:8080")
    assert done.returncode == 64 and 'PERCEPTION_PORT must be a port from 0 to 65535, not "tcp:8080"' in done.stderr


# Addresses


def test_brackets_around_an_ipv6_address_are_those_of_a_url():
    with serving.started(BINARY, "--host", "[::1]", "--port", "0") as (_, lines):
        assert re.fullmatch(r"http://\[::1\]:\d+", lines.address)
        assert requests.get(lines.address + "/healthz", timeout=10).status_code == 200
        port = lines.address.rsplit(":", 1)[1]
        assert serving.finished(BINARY, "healthcheck", "--host", "[::1]", "--port", port).returncode == 0
    for host in ("[127.0.0.1", "[]", "[::1", "host", "::1]"):
        done = serving.finished(BINARY, "serve", "--host", host, "--port", "0", "--insecure-no-auth")
        assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and "IPv4 or IPv6 address" in done.stderr, done


def test_two_colons_are_every_address_of_both_kinds():
    with serving.started(BINARY, "--host", "::", "--port", "0", "--probe-port", "0", "--insecure-no-auth") as (_, lines):
        port, probes = (int(text) for text in re.findall(r"http://\[::\]:(\d+)", lines.seen[0]))
        for address in ("127.0.0.1", "[::1]"):
            for number in (port, probes):
                assert requests.get(f"http://{address}:{number}/healthz", timeout=10).status_code == 200
        assert serving.finished(BINARY, "healthcheck", "--host", "::", "--port", str(port)).returncode == 0
    done = serving.finished(BINARY, "serve", "--host", "::", "--port", "0")
    assert done.returncode == 1 and "without a token" in done.stderr


def without_ipv6():
    """In a child, before it runs: a filter for which sockets of IPv6 are an unknown kind, as in a kernel without them."""
    number, architecture = {"x86_64": (41, 0xC000003E), "aarch64": (198, 0xC00000B7)}[platform.machine()]
    load, equal, answer = 0x20, 0x15, 0x06
    instructions = [
        (load, 0, 0, 4), (equal, 0, 5, architecture), (load, 0, 0, 0), (equal, 0, 3, number), (load, 0, 0, 16),
        (equal, 0, 1, socket.AF_INET6), (answer, 0, 0, 0x00050000 | 97), (answer, 0, 0, 0x7FFF0000),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *one) for one in instructions))
    program = struct.pack("=HxxxxxxQ", len(instructions), ctypes.addressof(code))
    library = ctypes.CDLL(None, use_errno=True)
    assert library.prctl(38, 1, 0, 0, 0) == 0 and library.prctl(22, 2, program, 0, 0) == 0


def test_where_there_is_no_ipv6_they_are_every_address_of_the_other_kind_and_a_line_says_so():
    command = [BINARY, "serve", "--host", "::", "--port", "0", "--insecure-no-auth"]
    with listening(*command, preexec_fn=without_ipv6) as (process, line):
        port = re.search(r"listening on http://0\.0\.0\.0:(\d+)$", line)[1]
        assert requests.get(f"http://127.0.0.1:{port}/healthz", timeout=10).status_code == 200
        assert serving.finished(BINARY, "healthcheck", "--host", "::", "--port", port).returncode == 0
    assert "this system has no IPv6" in process.errors
    # A single address is not replaced.
    done = subprocess.run(
        [BINARY, "serve", "--host", "::1", "--port", "0"], preexec_fn=without_ipv6, capture_output=True, text=True, timeout=20)
    assert done.returncode == 1 and "socket failed" in done.stderr


def test_a_balancers_check_needs_no_token(tmp_path):
    token = tmp_path / "token"
    token.write_text("a-token-of-many-characters\n")

    def first_line(port, request):
        with socket.create_connection(("127.0.0.1", port), 20) as client:
            client.sendall(request)
            return client.recv(100).split(b"\r\n")[0]

    with serving.running(BINARY, "--token-file", str(token)) as url:
        port = int(url.rsplit(":", 1)[1])
        # HAProxy's own, and the one that the runbook names.
        assert b" 204 " in first_line(port, b"OPTIONS / HTTP/1.0\r\n\r\n")
        assert b" 200 " in first_line(port, b"GET /readyz HTTP/1.0\r\n\r\n")


# Limits of the system


@pytest.mark.parametrize("files, arguments, least", [
    (8, [], 65), (12, [], 65), (64, [], 65), (192, ["--probe-port", "0"], 193)])
def test_too_few_files_for_a_single_connection_is_one_line(tmp_path, files, arguments, least):
    done = serving.finished(script(tmp_path, f"ulimit -n {files}"), "serve", "--port", "0", *arguments)
    assert done.returncode == 1 and not done.stdout
    assert len(done.stderr.splitlines()) == 1 and f"(ulimit -n) leaves room for no connection: {least} are" in done.stderr


@pytest.mark.parametrize("files, arguments", [(65, []), (193, ["--probe-port", "0"])])
def test_the_least_number_of_files_serves(tmp_path, files, arguments):
    with serving.started(script(tmp_path, f"ulimit -n {files}"), "--port", "0", *arguments) as (_, lines):
        # One connection: another may come before the server knows that the last one has gone.
        with requests.Session() as session:
            for _ in range(20):
                assert session.get(lines.address + "/healthz", timeout=10).status_code == 200


@pytest.mark.parametrize("kibibytes", [64, 128, 1024])
def test_a_small_stack_is_no_matter(tmp_path, identity, kibibytes):
    """The first thread's, and that of every thread whose maker does not say."""
    picture = requests.Request("GET", "http://a/v1/recipes/cppo-removing/preview?draws=11").prepare().path_url
    with serving.started(script(tmp_path, f"ulimit -s {kibibytes}"), "--port", "0") as (process, lines):
        logits = [[[float(i % 7) for i in range(5000)]] * 20] * 4
        assert requests.post(lines.address + "/v1/entropy", json={"logits": logits}, timeout=30).status_code == 200
        assert requests.get(lines.address + picture, timeout=60).status_code == 200
        process.send_signal(signal.SIGHUP)
        assert lines.wait_for("nothing to reload")
    assert process.returncode == 0 and any("all_requests_finished=true" in line for line in lines.seen)
    with serving.started(script(tmp_path, f"ulimit -s {kibibytes}"), "--port", "0", *options(identity)) as (_, lines):
        assert requests.get(lines.address + "/healthz", verify=str(identity[0]), timeout=10).status_code == 200
    assert serving.finished(script(tmp_path, f"ulimit -s {kibibytes}"), "--help").returncode == 0


@pytest.mark.skipif(subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0, reason="may not unmount")
def test_without_proc_the_command_line_and_the_environment_are_read(tmp_path):
    bare = script(tmp_path, "mount -t tmpfs none /proc")
    command = ["unshare", "--mount", bare, "serve", "--port", "0", "--max-runs", "7", "--shared-dir", str(tmp_path)]
    with listening(*command, env=serving.environment(PERCEPTION_MAX_RUN="3", PERCEPTION_QUEUE_LIMIT="9")) as (process, line):
        url = re.search(r"http://127\.0\.0\.1:\d+", line)[0]
        info = requests.get(url + "/v1/info", timeout=10).json()
        assert info["limits"]["max_runs"] == 7 and info["limits"]["queue_limit"] == 9
        assert requests.get(url + "/metrics", timeout=10).status_code == 200
        body = {"rewards": [1, 0], "group_ids": [0, 0]}
        assert requests.post(url + "/v1/advantages?output_file=result", json=body, timeout=10).status_code == 200
    assert "variable=PERCEPTION_MAX_RUN\n" in process.errors
    done = subprocess.run(
        ["unshare", "--mount", bare, "serve", "--no-such-option"], capture_output=True, text=True, timeout=20)
    assert done.returncode == 64 and "--no-such-option" in done.stderr


# The token file


@pytest.mark.parametrize("content", ["01234567", "0123456789abcde", "first-token-of-two\n01234567"])
def test_half_a_token_is_neither_taken_at_the_start_nor_on_reload(tmp_path, content):
    file = tmp_path / "tokens"
    file.write_text(content)
    done = serving.finished(BINARY, "serve", "--port", "0", "--token-file", str(file))
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1 and "half written" in line and "0123" not in line
    file.write_text("whole-token-1\n")
    with serving.started(BINARY, "--port", "0", "--token-file", str(file)) as (process, lines):
        file.write_text(content)
        process.send_signal(signal.SIGHUP)
        assert lines.wait_for("tokens not reloaded")
        for token, status in (("whole-token-1", 200), (content.splitlines()[-1], 401)):
            reply = requests.get(lines.address + "/v1/info", headers={"Authorization": f"Bearer {token}"}, timeout=10)
            assert reply.status_code == status
    # As orchestrators mount them.
    file.write_text("0123456789abcdef")
    with serving.started(BINARY, "--port", "0", "--token-file", str(file)):
        time.sleep(0)
