"""`perception info`: what runs there."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ..client import Perception


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    info = commands.add_parser(
        "info", parents=[shared], help="describe the server", description="Print /v1/info."
    )
    info.set_defaults(action=run)


def run(client: Perception, given: argparse.Namespace) -> None:
    """Print the version and the catalogue, or everything as JSON."""
    info = client.info()
    if given.json:
        print(json.dumps(dict(info.more)))
        return
    print(f"{info.name} {info.version}, {info.instruction_set}, {info.threads} threads, at {client!r}")
    print(f"presets: {', '.join(info.presets)}")
    print(f"recipes: {', '.join(info.recipes)}")
