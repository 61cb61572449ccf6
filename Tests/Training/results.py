"""What a study found, gathered from the files of its jobs into one small object."""

from __future__ import annotations

import json
import pathlib
import statistics
from typing import Any

import arms
import reinforcement
import supervised
from jobs import TESTED, TESTED_EVERY, TESTED_OFTEN
from model import Model

TEN = 10  # steps that a point of a curve of rewards is the mean of


def gathered(folder: pathlib.Path, steps: int, commit: str) -> dict[str, Any]:
    """Read every job's file, and keep what the report needs."""

    def read(kind: str) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted(folder.glob(f"{kind}-*.json"))]

    def one(name: str) -> Any:
        path = folder / f"{name}.json"
        return json.loads(path.read_text()) if path.exists() else None

    return {
        "commit": commit,
        "settings": {
            "parameters": sum(p.numel() for p in Model().parameters()), "steps": steps, "prompts": reinforcement.PROMPTS,
            "group": reinforcement.GROUP, "rate": reinforcement.RATE, "warm_up": reinforcement.WARM_UP,
            "betas": reinforcement.BETAS, "clip": reinforcement.CLIP, "supervised_batch": supervised.BATCH,
            "supervised_target": supervised.TARGET, "tested": TESTED, "tested_often": TESTED_OFTEN, "tested_every": TESTED_EVERY,
        },
        "longer": one("size"),
        "supervised": [{k: s[k] for k in ("seed", "steps", "curve")} for s in read("supervised-model")],
        "examined": [_rounded(x) for x in read("examined-model")],
        "mature": [_rounded(json.loads(path.read_text())) for path in sorted(folder.glob("mature-*.json"))],
        "arms": [_arm(x) for x in read("arm")],
        "equality": one("equality"),
        "trl": _rounded(one("trl")),
    }  # fmt: skip


def of(found: dict[str, Any], name: str) -> dict[int, dict[str, Any]]:
    """Return the results of an arm by seed; a sweep's value may be an arm of the main table."""
    return {a["seed"]: a for a in found["arms"] if a["arm"] == name}


def sweep(found: dict[str, Any], name: str) -> dict[str, dict[int, dict[str, Any]]]:
    """Return the results of a sweep by its values."""
    values = {value: arm if isinstance(arm, str) else f"{name}: {value}" for value, arm in arms.SWEEPS[name].items()}
    return {value: of(found, arm) for value, arm in values.items()}


def _arm(whole: dict[str, Any]) -> dict[str, Any]:
    columns = whole["columns"]
    kept = {k: whole[k] for k in ("arm", "seed", "steps", "tested", "curve", "under_views") if k in whole}
    kept["rewards"] = [statistics.fmean(columns["reward"][i : i + TEN]) for i in range(0, len(columns["reward"]), TEN)]
    kept["losses"] = [statistics.fmean(columns["loss"][i : i + TEN]) for i in range(0, len(columns["loss"]), TEN)]
    kept["gated"] = statistics.fmean(columns["gated"])
    chosen = sum(columns["selected"])
    kept["precision"] = sum(columns["selected_seen"]) / chosen if chosen else None
    kept["recall"] = sum(columns["selected_seen"]) / sum(columns["seen"]) if chosen else None
    kept["seconds"] = {name: statistics.median(columns[name]) for name in ("cpu", "wall", "service", "server")}
    if "detector" in whole:
        detector = whole["detector"]["cppo-removing"]
        kept["areas"] = {score: detector[score]["area"] for score in ("relative", "absolute", "divergence")}
    return _rounded(kept)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    return value
