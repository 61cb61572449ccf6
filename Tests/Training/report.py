"""Writes results.json, the charts, and the tables of README.md, from what a study left behind."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import figures
import results
import tables

HERE = pathlib.Path(__file__).resolve().parent


def write(folder: pathlib.Path, steps: int, commit: str) -> None:
    """Write the report of the files in a folder."""
    found = results.gathered(folder, steps, commit)
    (HERE / "results.json").write_text(json.dumps(found, separators=(",", ":")) + "\n")
    refresh(found)


def refresh(found: dict[str, Any]) -> None:
    """Write charts and tables of gathered results."""
    page = HERE / "README.md"
    text = page.read_text()
    for name, table in tables.TABLES.items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        if begin not in text or end not in text:
            raise ValueError(f"README.md has no place for the table {name!r}")
        before, after = text.split(begin, 1)
        text = f"{before}{begin}\n{table(found)}\n{end}{after.split(end, 1)[1]}"
    page.write_text(text)
    figures.draw(found)
