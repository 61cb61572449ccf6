"""The server that trainers' tests speak to, and what finds the shared modules."""

import os
import pathlib
import signal
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).parent
# Trainers start processes of their own (ranks, workers): they find the package by the variable.
PATHS = [str(REPOSITORY / "Sources/perception-client"), str(HERE), str(REPOSITORY / "Tests/Contract"),
         str(REPOSITORY / "Tests/PerceptionClient"), str(REPOSITORY / "Tests/PerceptionClient/autograd")]  # fmt: skip
sys.path[:0] = PATHS
os.environ["PYTHONPATH"] = os.pathsep.join([*PATHS, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
for name in [n for n in os.environ if n.startswith("PERCEPTION_") and n not in ("PERCEPTION_SERVER_BINARY", "PERCEPTION_BASE_URL")]:
    del os.environ[name]
os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1", "WANDB_MODE": "disabled"}

import pytest
import serving

from perception_client import Perception


def binary():
    given = os.environ.get("PERCEPTION_SERVER_BINARY")
    assert given, "set PERCEPTION_SERVER_BINARY"
    return given


@pytest.fixture(scope="session")
def url():
    """A running server."""
    given = os.environ.get("PERCEPTION_BASE_URL")
    if given:
        yield given.rstrip("/")
    else:
        with serving.running(binary()) as address:
            yield address


@pytest.fixture
def client(url):
    with Perception(url, run="trainer tests", deadline=60) as perception:
        yield perception


@pytest.fixture
def settings(monkeypatch, url):
    """Set PERCEPTION_… variables as a user does, by the settings' names: settings(preset="papo-g"). The url is the server's."""

    def put(**named):
        for name, value in ({"url": url} | named).items():
            monkeypatch.setenv(f"PERCEPTION_{name.upper()}", str(value))

    put()
    return put


class Restartable:
    """A server on a port of its own that can be killed and started again."""

    def __init__(self, port):
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._context = self._process = None

    def start(self):
        self._context = serving.started(binary(), "--port", str(self.port))
        self._process, _ = self._context.__enter__()
        serving.wait_until_ready(self.url)

    def kill(self):
        """End it as a crash does."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(20)
        self._context = None

    def stop(self):
        if self._context is not None:
            self._context.__exit__(None, None, None)
            self._context = None


@pytest.fixture
def restartable():
    from scripted import free_port

    server = Restartable(free_port())
    server.start()
    yield server
    server.stop()
