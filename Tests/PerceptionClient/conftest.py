"""Where the server under test comes from: PERCEPTION_SERVER_BINARY is started, or PERCEPTION_BASE_URL names one."""

import os
import pathlib
import sys

import numpy as np
import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(REPOSITORY / "Sources/perception-client"), str(REPOSITORY / "Tests/Contract"), str(HERE / "autograd")]
for name in [n for n in os.environ if n in ("PERCEPTION_URL", "PERCEPTION_TOKEN")]:
    del os.environ[name]

import serving

from perception_client import Perception


@pytest.fixture(scope="session")
def binary():
    given = os.environ.get("PERCEPTION_SERVER_BINARY")
    assert given, "set PERCEPTION_SERVER_BINARY"
    return given


@pytest.fixture(scope="session")
def url():
    given = os.environ.get("PERCEPTION_BASE_URL")
    if given:
        yield given.rstrip("/")
    else:
        with serving.running(os.environ["PERCEPTION_SERVER_BINARY"]) as address:
            yield address


@pytest.fixture
def client(url):
    with Perception(url, run="client tests", deadline=20) as perception:
        yield perception


@pytest.fixture(scope="session")
def edition(url):
    """Which options and forms the server knows: the second edition of the contract has more of them."""
    with Perception(url) as perception:
        options = set(perception.presets()["cppo-verl"].options)
    return options


@pytest.fixture
def batch():
    """Keyword arguments of `score`: 4 sequences of 48 tokens, F32, with padding and one negative advantage."""
    r = np.random.default_rng(7)
    lengths = np.array([48, 31, 48, 5])
    return {
        "log_probs": {v: -r.exponential(1, (4, 48)).astype("f4") for v in ("original", "preserving", "removing")},
        "entropy": {v: r.exponential(1, (4, 48)).astype("f4") for v in ("original", "removing")},
        "response_mask": (np.arange(48) < lengths[:, None]),
        "advantages": np.array([1.0, -0.5, 0.25, 2.0], "f4"),
    }
