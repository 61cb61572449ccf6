"""The command `perception`: score files, make views, draw heat maps, send saved requests again."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from ..client import Perception
from ..errors import PerceptionError
from ..versions import VERSION
from . import heatmap, info, score, views

_COMMANDS = (score, views, heatmap, info)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Exits 0, 1 when the server or a file refuses, 2 for wrong arguments."""
    given = parser().parse_args(arguments)
    client = Perception(given.url or None, given.token, given.run, given.deadline, authority=given.authority)
    try:
        given.action(client, given)
    except (PerceptionError, OSError, ValueError, KeyError) as error:
        text = str(error.args[0]) if isinstance(error, KeyError) else str(error)
        print(f"perception: {text}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        client.close()
    return 0


def parser() -> argparse.ArgumentParser:
    """Make the parser of all commands."""
    top = argparse.ArgumentParser("perception", description="Client of Perception Server.")
    top.add_argument("--version", action="version", version=VERSION)
    shared = argparse.ArgumentParser(add_help=False)
    group = shared.add_argument_group("server")
    group.add_argument(
        "--url",
        action="append",
        metavar="URL",
        help="http://…, https://… or unix:PATH; repeat it for more servers",
    )
    group.add_argument("--token", help="bearer token (better: PERCEPTION_TOKEN)")
    group.add_argument("--run", help="name of the training run in the server's metrics")
    group.add_argument(
        "--deadline", type=float, default=120.0, metavar="SECONDS", help="for each call, including retries"
    )
    group.add_argument("--authority", metavar="FILE", help="PEM file of certificates to trust")
    shared.add_argument("--json", action="store_true", help="print one JSON object for each file")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add(commands, shared)
    return top
