"""`perception views`: perturbed views of pictures, as files."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ..client import Perception
from ..views import CPPO
from .files import PICTURES, found, progress


def add(commands: Any, shared: argparse.ArgumentParser) -> None:
    """Add the command."""
    views = commands.add_parser(
        "views",
        parents=[shared],
        help="perturb pictures",
        description="Write each picture under each recipe as PNG.",
    )
    views.add_argument("files", nargs="+", metavar="FILE", help="a picture, or a folder of them")
    views.add_argument(
        "--recipe",
        action="append",
        metavar="NAME",
        help=f"repeat it for more recipes (default: {', '.join(CPPO)})",
    )
    views.add_argument("--seed", type=int, default=0)
    views.add_argument("--always", action="store_true", help="rule out draws that leave a picture unchanged")
    views.add_argument(
        "--alpha",
        choices=["white", "transformers", "drop"],
        default="white",
        help="treatment of transparency",
    )
    views.add_argument("-o", "--output", default=".", metavar="FOLDER")
    views.set_defaults(action=run)


def run(client: Perception, given: argparse.Namespace) -> None:
    """Write `NAME.RECIPE.png` beside each other, and print what was drawn."""
    files = found(given.files, PICTURES)
    recipes = {recipe: recipe for recipe in given.recipe or CPPO}
    place = Path(given.output)
    place.mkdir(parents=True, exist_ok=True)
    taken: set[Path] = set()
    more = {"always": True} if given.always else {}
    for file in progress(files, len(files)):
        made = client.views([file], given.seed, recipes, alpha=given.alpha, **more)
        told: dict[str, Any] = {"file": str(file), "views": []}
        for recipe, (data,) in made.items():
            path = place / f"{file.stem}.{recipe}.png"
            if path in taken:
                raise ValueError(
                    f"{path}: two pictures have this name; give them folders of their own with -o"
                )
            taken.add(path)
            path.write_bytes(data)
            told["views"].append({"recipe": recipe, "path": str(path), "steps": made.steps[recipe][0]})
            if not given.json:
                print(f"{path}: {', '.join(step['step'] for step in made.steps[recipe][0]) or 'unchanged'}")
        if given.json:
            print(json.dumps(told))
