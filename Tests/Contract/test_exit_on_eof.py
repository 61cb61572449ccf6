"""A server that a trainer starts ends with it, however the trainer ends."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

import pytest
import requests

import serving

BINARY = os.environ.get("PERCEPTION_SERVER_BINARY")
pytestmark = pytest.mark.skipif(not BINARY, reason="needs a binary to start")

# Starts the server with the reading end and waits; "worker" as well starts a child that holds the writing end, too.
TRAINER = """
import os, subprocess, sys, time
binary, path, how = sys.argv[1:]
reading, writing = os.pipe()
server = subprocess.Popen([binary, "serve", "--listen", f"unix:{path}", "--exit-on-eof", str(reading)], pass_fds=[reading], stdout=subprocess.PIPE)
os.close(reading)
server.stdout.readline()
worker = 0
if how == "worker":
    worker = os.fork()
    if worker == 0:
        time.sleep(600)
        os._exit(0)
print(server.pid, worker, flush=True)
sys.stdin.readline()
if how == "exit": os._exit(3)
if how == "raise": raise SystemExit("done")
time.sleep(600)
"""


def is_there(process):
    """And no zombie: in a container nobody may wait for it."""
    try:
        return pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def within(seconds, condition):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize("how", ["kill", "exit", "raise", "worker"])
def test_it_ends_with_whoever_started_it_and_takes_its_socket_along(tmp_path, how):
    path = tmp_path / "socket"
    trainer = subprocess.Popen(
        [sys.executable, "-c", TRAINER, BINARY, str(path), how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=serving.environment())
    server, worker = (int(word) for word in trainer.stdout.readline().split())
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200 ")
        if how in ("kill", "worker"):
            trainer.kill()
        else:
            trainer.stdin.write("\n")
            trainer.stdin.flush()
        trainer.wait(20)
        if worker:
            # Somebody could still write: a loader's process that has outlived its parent.
            assert not within(1, lambda: not is_there(server)) and path.is_socket()
            os.kill(worker, signal.SIGKILL)
        assert within(10, lambda: not is_there(server))
        assert not path.exists()
    finally:
        for process in filter(None, (server, worker)):
            if is_there(process):
                os.kill(process, signal.SIGKILL)
        trainer.kill()
        trainer.communicate()


def started(*arguments, **more):
    return subprocess.Popen(
        [BINARY, "serve", "--port", "0", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        **{"env": serving.environment()} | more)


@pytest.mark.parametrize("kind", ["pipe", "socket", "standard input", "variable"])
def test_what_is_written_means_nothing_and_the_end_ends_it_with_0(kind):
    if kind == "socket":
        ours, theirs = (end.detach() for end in socket.socketpair())
    else:
        theirs, ours = os.pipe()
    if kind == "standard input":
        process = started("--exit-on-eof", "0", stdin=theirs)
    elif kind == "variable":
        process = started(pass_fds=[theirs], env=serving.environment(PERCEPTION_EXIT_ON_EOF=str(theirs)))
    else:
        process = started("--exit-on-eof", str(theirs), pass_fds=[theirs])
    os.close(theirs)
    try:
        url = process.stdout.readline().split()[-1]
        os.write(ours, b"x" * 10_000)
        assert requests.get(url + "/readyz", timeout=10).status_code == 200
        assert process.poll() is None
    finally:
        os.close(ours)
    errors = process.communicate(timeout=10)[1]
    assert process.returncode == 0 and "draining end_of_file=" in errors and "all_requests_finished=true" in errors


def test_a_request_that_never_ends_keeps_it_for_two_seconds_only():
    theirs, ours = os.pipe()
    process = started("--exit-on-eof", str(theirs), "--shutdown-grace-seconds", "600", pass_fds=[theirs])
    os.close(theirs)
    host, port = process.stdout.readline().split()[-1].removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 20) as client:
        client.sendall(b"POST /v1/mask HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{")
        assert requests.get(f"http://{host}:{port}/readyz", timeout=10).status_code == 200
        start = time.monotonic()
        os.close(ours)
        assert process.wait(10) == 0 and 1 < time.monotonic() - start < 6
    process.communicate()


def test_a_parent_that_is_gone_before_it_serves_is_noticed():
    theirs, ours = os.pipe()
    os.close(ours)
    process = started("--exit-on-eof", str(theirs), pass_fds=[theirs])
    os.close(theirs)
    assert process.wait(10) == 0
    process.communicate()


def test_what_can_never_tell_of_an_end_is_refused_in_one_line(tmp_path):
    reading, writing = os.pipe()
    file = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    both = os.open(fifo, os.O_RDWR)
    for given, handed, words in [
        (77, [], "no descriptor of this number is open"), (file, [file], "no pipe"), (writing, [writing], "the pipe's writing end"),
        (reading, [reading, writing], f"descriptor {writing}"), (both, [both], "writing end"),
    ]:
        process = started("--exit-on-eof", str(given), pass_fds=handed)
        out, err = process.communicate(timeout=20)
        assert process.returncode == 1 and not out and len(err.splitlines()) == 1
        assert words in err and f"--exit-on-eof {given}" in err, err
    for text in ("-1", "three", ""):
        process = started(f"--exit-on-eof={text}")
        assert process.communicate(timeout=20) and process.returncode == 64
    for descriptor in (reading, writing, file, both):
        os.close(descriptor)
