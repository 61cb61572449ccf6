"""Where the server under test comes from: PERCEPTION_BASE_URL names one, PERCEPTION_SERVER_BINARY is started."""

import os
import pathlib
import tempfile

import pytest
import requests

import serving
import tls

# Hypothesis keeps notes beside the working directory otherwise.
os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", os.path.join(tempfile.gettempdir(), "hypothesis"))
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def server():
    """Base URL of a server that is ready."""
    given = os.environ.get("PERCEPTION_BASE_URL")
    binary = os.environ.get("PERCEPTION_SERVER_BINARY")
    if given:
        serving.wait_until_ready(given.rstrip("/"))
        yield given.rstrip("/")
    elif binary:
        with serving.running(binary) as address:
            yield address
    else:
        pytest.fail("set PERCEPTION_BASE_URL or PERCEPTION_SERVER_BINARY")


@pytest.fixture(scope="session")
def http():
    with requests.Session() as session:
        yield session


@pytest.fixture(scope="session")
def identity(tmp_path_factory):
    return tls.certificate(tmp_path_factory.mktemp("tls"), "server", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")


@pytest.fixture(scope="module")
def secure(identity):
    limits = ("--max-body-bytes", str(tls.LARGE), "--max-streamed-body-bytes", str(8 * tls.LARGE))
    with serving.running(os.environ["PERCEPTION_SERVER_BINARY"], *tls.options(identity), *limits, authority=identity[0]) as url:
        assert url.startswith("https://")
        yield url
