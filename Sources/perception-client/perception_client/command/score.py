"""`perception score` and `perception replay`: post safetensors files."""

from __future__ import annotations

import argparse
import functools
import json
from pathlib import Path
from typing import Any

from .. import options
from ..calls import Answer, Call, target
from ..client import Perception
from ..results import Advantages, Entropies, Mask, Result, Score, arranged
from ..safetensors_file import MEDIA_TYPE, decode
from .files import found, progress

_KINDS: dict[str, type[Result]] = {
    "/v1/score": Score,
    "/v1/mask": Mask,
    "/v1/entropy": Entropies,
    "/v1/advantages": Advantages,
}


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    """Add both commands."""
    score = commands.add_parser(
        "score", parents=[shared], help="score batches", description="Post safetensors files to /v1/score."
    )
    score.add_argument("files", nargs="+", metavar="FILE", help="batch.safetensors, or a folder of them")
    score.add_argument("--endpoint", choices=["score", "mask", "entropy", "advantages"], default="score")
    score.add_argument("--html", metavar="FILE", help="write a heat map (of one file)")
    score.set_defaults(action=functools.partial(run, "--endpoint"))
    replay = commands.add_parser(
        "replay",
        parents=[shared],
        help="send a saved request again",
        description="Send a request again that dump= has saved.",
    )
    replay.add_argument(
        "files", nargs="+", metavar="FILE", help="a file that dump= wrote, or a folder of them"
    )
    replay.add_argument("--html", metavar="FILE", help="write a heat map (of one file)")
    replay.set_defaults(action=functools.partial(run, "saved"))
    for command in (score, replay):
        command.add_argument(
            "-o", "--output", metavar="FILE", help="write the answer (a folder, for several files)"
        )
        command.add_argument(
            "--set",
            dest="options",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="an option, such as tau=0.2",
        )


def run(source: str, client: Perception, given: argparse.Namespace) -> None:
    """Post each file and print what the server says of it."""
    files = found(given.files, (".safetensors",))
    if given.html and len(files) > 1:
        raise ValueError("--html is for one file")
    query = options.query(dict(_option(text) for text in given.options))
    for file in progress(files, len(files)):
        body = file.read_bytes()
        path = f"/v1/{given.endpoint}" if source == "--endpoint" else _path(file, body)
        answer = client.send(
            Call("POST", target(path, query), _itself, {"Content-Type": MEDIA_TYPE}, (body,))
        )
        result = arranged(_KINDS[path], answer)
        if given.output:
            _written(given.output, file, len(files), answer)
        if given.html:
            Path(given.html).write_text(result.to_html(), encoding="utf-8")
        print(_line(file, result, given.json))


def _itself(answer: Answer) -> Answer:
    return answer


def _option(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--set {text}: expected NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _path(file: Path, body: bytes) -> str:
    path = decode(body)[1].get("path", "")
    if path not in _KINDS:
        raise ValueError(
            f"{file}: no saved request (dump= writes them); perception score posts plain batches"
        )
    return path


def _written(output: str, file: Path, count: int, answer: Answer) -> None:
    place = Path(output)
    if count > 1:
        place.mkdir(parents=True, exist_ok=True)
        place = place / file.name
    place.write_bytes(answer.body)


def _line(file: Path, result: Any, as_json: bool) -> str:
    if as_json:
        return json.dumps({"file": str(file), "server_ms": result.server_ms} | dict(result.scalars))
    counts = result.diagnostics
    told = [f"loss {result.loss:.6g}"] if isinstance(result, Score) else []
    told += [f"{counts[n]} {n}" for n in ("tokens", "candidates", "selected", "gated") if n in counts]
    told += [f"{name} {list(array.shape)}" for name, array in result.arrays.items()] if not told else []
    return f"{file}: {', '.join(told)}"
