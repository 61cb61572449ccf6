"""A few seconds of what Tests/Faults does for an hour."""

import os
import sys

import pytest

from conftest import REPOSITORY

BINARY = os.environ.get("PERCEPTION_SERVER_BINARY")
pytestmark = pytest.mark.skipif(not BINARY, reason="needs a binary to start")
sys.path += [str(REPOSITORY / "Tests/Faults"), str(REPOSITORY / "Tests/Benchmarks")]


@pytest.fixture(autouse=True)
def kept_out_of_the_way(tmp_path, monkeypatch):
    import server

    monkeypatch.setattr(server, "OUT", tmp_path)


def failed(claims):
    assert claims.rows, "nothing was claimed"
    return [row for row in claims.rows if not row["held"]]


def test_malformed_requests_are_refused_and_the_next_client_is_served():
    import malformed
    from server import Server

    with Server(BINARY) as server:
        failures, count, _, _ = malformed.attack(server, ways=("whole",))
        assert count == len(malformed.CORPUS) and failures == []


def test_drains_under_load_lose_nothing():
    import drain
    from claims import Claims

    claims = Claims()
    drain.run(claims, BINARY, rounds=2)
    assert not [row for row in failed(claims) if "readyz" not in row["claim"]]


def test_connections_above_the_limit_are_refused_at_once():
    import flood
    from claims import Claims

    claims = Claims()
    flood.over_the_limit(claims, BINARY, connects=400)
    assert failed(claims) == []
