"""The material of tests, and what a server of the first edition of the contract does not have yet."""

import os
import pathlib

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = REPOSITORY / "Tests/Fixtures"


def environment(**more):
    """This process's variables, with the sources of the client on the path of a new Python."""
    paths = [str(REPOSITORY / "Sources/perception-client"), os.environ.get("PYTHONPATH", "")]
    return os.environ | {"PYTHONPATH": os.pathsep.join(p for p in paths if p)} | more


def needs(edition, *options):
    """Skip, saying so, where the server is of the first edition of the contract."""
    missing = [o for o in options if o not in edition]
    if missing:
        pytest.skip(f"this server has no option {', '.join(missing)} (first edition of the contract)")
