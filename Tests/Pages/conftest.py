"""A server from PERCEPTION_SERVER_BINARY, one Chromium for all tests, and pages that must not complain."""

import os
import pathlib
import sys

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "Tests/Contract"))

import serving
from playwright.sync_api import sync_playwright

import browser
import prefix
from docs_page import DocsPage

TOKEN = "correct-horse-battery-staple"


@pytest.fixture(scope="session")
def binary():
    given = os.environ.get("PERCEPTION_SERVER_BINARY")
    assert given, "set PERCEPTION_SERVER_BINARY"
    return given


@pytest.fixture(scope="session")
def server(binary):
    """The address of a server without tokens."""
    with serving.running(binary) as address:
        yield address


@pytest.fixture(scope="session")
def guarded(binary, tmp_path_factory):
    """The address of a server that wants TOKEN."""
    tokens = tmp_path_factory.mktemp("tokens") / "tokens"
    tokens.write_text(TOKEN + "\n")
    tokens.chmod(0o600)
    with serving.running(binary, "--token-file", str(tokens)) as address:
        yield address


@pytest.fixture(scope="session")
def keeping(binary):
    """The address of a server that keeps recent batches for /live."""
    with serving.running(binary, "--keep-recent", "4") as address:
        yield address


@pytest.fixture(scope="session")
def prefixed(server):
    """The address of a reverse proxy that serves the server under /perception."""
    with prefix.proxied(server, "/perception") as address:
        yield address


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        launched = browser.launch(playwright)
        yield launched
        launched.close()


@pytest.fixture
def visit(chromium, server):
    """`visit("/docs", width=400, scheme="dark")` opens a page. The test fails if a page of it complained."""
    yield from visiting(chromium, server)


def visiting(chromium, server):
    visitor = browser.Visitor(chromium, server)
    yield visitor
    visitor.close()
    faults = visitor.witness.faults()
    assert not faults, "the page complained:\n" + "\n".join(faults)


@pytest.fixture
def docs(visit):
    """`docs(width=400)` opens /docs and waits until the contract is on it."""
    return lambda fragment="", **options: DocsPage(visit(f"/docs{fragment}", **options))


@pytest.fixture(scope="module")
def read(chromium, server):
    """/docs, opened once for all tests of a module that only read it."""
    visits = visiting(chromium, server)
    yield DocsPage(next(visits)("/docs"))
    next(visits, None)
