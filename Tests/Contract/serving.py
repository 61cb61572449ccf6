"""Starts a server binary on a port of the system's choice and stops it, which must be a clean exit."""

import contextlib
import os
import re
import subprocess
import threading
import time

import requests

START_SECONDS = 20
STOP_SECONDS = 20
ADDRESS = re.compile(r"https?://(?:\d+\.\d+\.\d+\.\d+|localhost|\[[0-9a-f:]+\]):\d+")


class Lines:
    """What the server prints, read for as long as it runs so that it never blocks on a full pipe."""

    def __init__(self, stream):
        self.seen = []
        self.address = None
        self.ended = False
        self.changed = threading.Condition()
        threading.Thread(target=self.read, args=(stream,), daemon=True).start()

    def read(self, stream):
        for line in stream:
            with self.changed:
                self.seen.append(line)
                found = ADDRESS.search(line)
                if self.address is None and found:
                    self.address = found[0]
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait_for(self, text, seconds=10, count=1):
        """Whether so many lines with the text were printed in time."""
        def found():
            return sum(text in line for line in self.seen) >= count

        with self.changed:
            self.changed.wait_for(lambda: found() or self.ended, seconds)
            return found()


def wait_until_ready(url, path="/readyz", authority=True):
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            if requests.get(url + path, timeout=2, verify=authority).status_code == 200:
                return
        except requests.ConnectionError:
            pass
        assert time.monotonic() < deadline, f"{url} never became ready"
        time.sleep(0.05)


def environment(**variables):
    """This process's variables without those that would set the server's options, and the given ones."""
    return {k: v for k, v in os.environ.items() if not k.startswith("PERCEPTION_")} | variables


def finished(binary, *arguments, **variables):
    """The process of a command that ends by itself, with its exit code and what it said."""
    return subprocess.run(
        [binary, *arguments], capture_output=True, text=True, timeout=STOP_SECONDS, env=environment(**variables))


@contextlib.contextmanager
def started(binary, *arguments, **variables):
    """The process of `binary serve`, and its Lines once one says where it listens; leaves only after SIGTERM made it exit
    with 0, if it has not ended so before."""
    process = subprocess.Popen(
        [binary, "serve", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=environment(**variables))
    lines = Lines(process.stdout)
    try:
        assert lines.wait_for("listening on", START_SECONDS), "no line said where it listens:\n" + "".join(lines.seen)
        yield process, lines
    finally:
        process.terminate()
        try:
            code = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert code == 0, f"SIGTERM must drain and exit 0, not {code}:\n" + "".join(lines.seen[-50:])


@contextlib.contextmanager
def running(binary, *arguments, authority=True, **variables):
    """Base URL of `binary serve --port 0`, ready; leaves only after SIGTERM made it exit with 0.

    `authority` is the certificate that vouches for one that speaks TLS.
    """
    with started(binary, "--port", "0", *arguments, **variables) as (process, lines):
        wait_until_ready(lines.address, authority=authority)
        yield lines.address
        assert process.poll() is None, f"the server ended with {process.returncode}:\n" + "".join(lines.seen[-50:])
