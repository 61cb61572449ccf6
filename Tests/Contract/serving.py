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

    def wait_for_address(self, seconds):
        with self.changed:
            self.changed.wait_for(lambda: self.address or self.ended, seconds)
            return self.address


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


@contextlib.contextmanager
def running(binary, *arguments, authority=True):
    """Base URL of `binary serve --port 0`, ready; leaves only after SIGTERM made it exit with 0.

    `authority` is the certificate that vouches for one that speaks TLS.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PERCEPTION_")}
    process = subprocess.Popen(
        [binary, "serve", "--port", "0", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=environment)
    lines = Lines(process.stdout)
    try:
        address = lines.wait_for_address(START_SECONDS)
        assert address, "no line said where the server listens:\n" + "".join(lines.seen)
        wait_until_ready(address, authority=authority)
        yield address
        assert process.poll() is None, f"the server ended with {process.returncode}:\n" + "".join(lines.seen[-50:])
    finally:
        process.terminate()
        try:
            code = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert code == 0, f"SIGTERM must drain and exit 0, not {code}"
