"""What a server makes of what it is started with: standard input, output and error, and the limit of open files."""

import os
import pathlib
import pty
import re
import subprocess
import time

import pytest
import requests

import serving

BINARY = os.environ.get("PERCEPTION_SERVER_BINARY")
pytestmark = pytest.mark.skipif(not BINARY, reason="needs a binary to start")
ENVIRONMENT = serving.environment()


def test_nothing_else_takes_the_place_of_standard_files_that_are_closed(tmp_path):
    path = tmp_path / "socket"
    process = subprocess.Popen(
        ["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', BINARY, "serve", "--listen", f"unix:{path}"], env=ENVIRONMENT)
    try:
        deadline = time.monotonic() + 20
        while subprocess.run([BINARY, "healthcheck", "--listen", f"unix:{path}"], env=ENVIRONMENT, stderr=subprocess.PIPE).returncode:
            assert process.poll() is None and time.monotonic() < deadline
        files = pathlib.Path(f"/proc/{process.pid}/fd")
        assert [os.readlink(files / str(number)) for number in range(3)] == ["/dev/null"] * 3
    finally:
        process.terminate()
    assert process.wait(20) == 0


def test_a_log_that_nobody_reads_keeps_neither_requests_nor_the_end_waiting():
    process = subprocess.Popen(
        [BINARY, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    try:
        url = re.search(r"http://\S+", process.stdout.readline())[0]
        with requests.Session() as session:
            # Far more lines than a pipe holds.
            count = 2000
            for _ in range(count):
                assert session.get(url + "/v1/presets", timeout=20).status_code == 200
        process.terminate()
        # Not read before: the pipe has been full since.
        assert process.wait(20) == 0
        kept = process.stderr.read().splitlines()
        assert 0 < sum(" path=/v1/presets " in line for line in kept) < count
    finally:
        process.kill()
        process.communicate()


def test_a_terminal_that_is_held_keeps_neither_requests_nor_the_end_waiting():
    # Nobody reads the other end. It says it has room for more than nothing, and then waits until all of a line has some.
    terminal, held = pty.openpty()
    process = subprocess.Popen([BINARY, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=held, text=True, env=ENVIRONMENT)
    try:
        url = re.search(r"http://\S+", process.stdout.readline())[0]
        with requests.Session() as session:
            for length in range(300):
                session.headers["traceparent"] = "x" * length
                assert session.get(url + "/v1/" + "x" * length, timeout=20).status_code == 404
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate()
        os.close(terminal)
        os.close(held)


def test_the_limit_of_connections_is_the_one_that_open_files_allow(tmp_path):
    narrow = tmp_path / "narrow"
    narrow.write_text(f'#!/bin/sh\nulimit -n 256\nexec "{os.path.abspath(BINARY)}" "$@"\n')
    narrow.chmod(0o755)
    # 64 are for other things, and 128 for the probe port.
    for asked, found, *probes in (("10000", 192), ("100", 100), ("10000", 64, "--probe-port", "0")):
        with serving.started(str(narrow), "--port", "0", "--max-connections", asked, *probes) as (_, lines):
            assert requests.get(lines.address + "/v1/info", timeout=10).json()["limits"]["max_connections"] == found
            metrics = requests.get(lines.address + "/metrics", timeout=10).text
            assert f"\nperception_http_connections_limit {found}\n" in metrics
            told = [line for line in lines.seen if "fewer connections" in line]
            assert (len(told) == 1 and f"connections={found} " in told[0]) if found < int(asked) else not told
