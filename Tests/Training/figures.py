"""The figures of README.md, of gathered results."""

from __future__ import annotations

import pathlib
import statistics
from typing import Any

import numpy as np
from PIL import Image

import arms
import results
from curves import Frame, Line, Panel, chart
from intervals import interval
from pictures import HELD_OUT, TRAINING, drawn
from tables import SCORES

MARK = 4  # points of accuracy between two lines
HERE = pathlib.Path(__file__).resolve().parent


def draw(found: dict[str, Any]) -> None:
    """Write all figures."""
    _show_examples()
    for where in ("in", "out"):
        base = _curve(results.of(found, "grpo"), where)
        names = [n for n in arms.MAIN if n != "grpo" and results.of(found, n)]
        panels = [Panel(n, [_usual(base), _curve(results.of(found, n), where)]) for n in names]
        ends = [y + side * s for p in panels for x in p.lines for (_, y), s in zip(x.points, x.spread, strict=True) for side in (-1, 1)]
        low, high = (MARK * round(edge / MARK + side) for edge, side in ((min(ends), -0.5), (max(ends), 0.5)))
        last = max(line.points[-1][0] for p in panels for line in p.lines)
        steps = found["settings"]["steps"]
        frame = Frame((0, last), (low, high), "steps", "gain, points", range(0, last + 1, steps), range(low, high + 1, MARK))
        chart(HERE / f"curves-{where}.svg", panels, frame, 5)
    runs = found["trl"]["runs"]
    seeds = sorted({r["seed"] for r in runs})
    panels = [Panel(f"TRL, seed {seed}", [_trl_line(r) for r in runs if r["seed"] == seed]) for seed in seeds]
    frame = Frame((0, found["trl"]["steps"]), (0, 0.8), "steps", "mean reward", [0, found["trl"]["steps"]], [0, 0.2, 0.4, 0.6, 0.8])
    chart(HERE / "trl.svg", panels, frame, len(panels), (260, 130))
    recipes = ("cppo-removing", "papo-removing", "occlusion", "zoom_crop")
    panels = [Panel(r, [Line(s, _mean_roc(found, r, s), usual=s == "random") for s in SCORES[::-1]]) for r in recipes]
    frame = Frame((0, 1), (0, 1), "false positives", "true positives", [0, 0.5, 1], [0, 0.5, 1])
    chart(HERE / "roc.svg", panels, frame, 4)


def _curve(of_seed: dict[int, Any], where: str) -> Line:
    """What sampled accuracy has gained since the start of each seed, in points."""
    points, spread = [], []
    for at, point in enumerate(min((a["curve"] for a in of_seed.values()), key=len)):
        here = interval([a["curve"][at][where]["sampled"] - a["curve"][0][where]["sampled"] for a in of_seed.values()])
        points.append([point["step"], 100 * here.mean])
        spread.append(100 * here.half)
    return Line("", points, spread)


def _trl_line(run: dict[str, Any]) -> Line:
    """Rewards, each the mean of five steps."""
    five = [run["reward"][i : i + 5] for i in range(0, len(run["reward"]), 5)]
    return Line(run["arm"], [[5 * i + len(part) / 2, statistics.fmean(part)] for i, part in enumerate(five)], usual=run["arm"] == "grpo")


def _usual(line: Line) -> Line:
    return Line("GRPO", line.points, line.spread, usual=True)


def _mean_roc(found: dict[str, Any], recipe: str, score: str) -> list[list[float]]:
    curves = [e["detector"][recipe][score]["roc"] for e in found["examined"]]
    return [[x[0][0], statistics.fmean(y for _, y in x)] for x in zip(*curves, strict=True)]


def _show_examples() -> None:
    """Two rows of pictures from each distribution, twice their size."""
    draw = np.random.default_rng(1)
    rows = [np.concatenate([*drawn(10, draw, of).pictures], 1) for of in (TRAINING, TRAINING, HELD_OUT, HELD_OUT)]
    whole = Image.fromarray(np.concatenate(rows, 0))
    whole.resize((2 * whole.width, 2 * whole.height), Image.Resampling.NEAREST).save(HERE / "examples.webp", quality=80)
