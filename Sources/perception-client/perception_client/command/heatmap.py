"""`perception heatmap`: a page from a saved answer."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ..client import Perception
from ..heatmap import page
from ..results import Score
from ..safetensors_file import decode


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    heatmap = commands.add_parser(
        "heatmap",
        parents=[shared],
        help="draw a heat map",
        description="Turn an answer into a page, without a server.",
    )
    heatmap.add_argument("file", metavar="FILE", help="an answer written by perception score -o")
    heatmap.add_argument(
        "--tokens",
        metavar="FILE",
        help="JSON with the text of each token: one list, or a list for each sequence",
    )
    heatmap.add_argument("--color", choices=["delta_entropy", "perception_score", "mask", "token_loss"])
    heatmap.add_argument("-o", "--output", default="heat.html", metavar="FILE")
    heatmap.set_defaults(action=run)


def run(_: Perception, given: argparse.Namespace) -> None:
    """Write the page and say where."""
    tensors, metadata = decode(Path(given.file).read_bytes())
    arrays = {name: t.array for name, t in tensors.items() if t.shape}
    score = Score(arrays=arrays, scalars=json.loads(metadata.get("result", "{}")))
    tokens = json.loads(Path(given.tokens).read_text(encoding="utf-8")) if given.tokens else None
    Path(given.output).write_text(page(score, tokens, given.color), encoding="utf-8")
    print(
        json.dumps({"file": given.output})
        if given.json
        else f"{given.output}: {score.gated} tokens in the mask"
    )
