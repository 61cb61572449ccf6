"""The tables of README.md, as Markdown, of gathered results."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import Any

import arms
import results
from detection import RATIOS
from intervals import Interval, interval

SCORES = ("relative", "absolute", "divergence", "random")
CHOICES = ("relative", "relative, ΔH > 0.05", "absolute", "divergence", "random")
MEASURES = ("sampled", "greedy")
Row = Iterable[Any]


def _table(head: Row, rows: Iterable[Row]) -> str:
    lines = [[str(x) for x in head], *([str(x) for x in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in (lines[0], ["---"] * len(lines[0]), *lines[1:]))


def _values(of_seed: dict[int, dict[str, Any]], where: str, measure: str) -> list[float]:
    return [of_seed[seed]["tested"][where][measure] for seed in sorted(of_seed)]


def _against(ours: dict[int, Any], theirs: dict[int, Any], where: str, measure: str) -> Interval | None:
    """The paired difference over the seeds that both have."""
    seeds = sorted(set(ours) & set(theirs))
    if not seeds:
        return None
    return interval([ours[s]["tested"][where][measure] - theirs[s]["tested"][where][measure] for s in seeds])


def _difference(ours: dict[int, Any], theirs: dict[int, Any], where: str, measure: str) -> str:
    found = _against(ours, theirs, where, measure)
    if found is None or ours is theirs or not found.half:
        return ""
    return f"**{found.percent(True)}**" if found.excludes_zero else found.percent(True)


def _main(found: dict[str, Any]) -> str:
    grpo = results.of(found, "grpo")
    started = {s["seed"]: s for s in found["examined"]}
    rows = [["supervised start", *_accuracies(started), "", ""]]
    for name in arms.MAIN:
        ours = results.of(found, name)
        if ours:
            rows.append([f"`{name}`", *_accuracies(ours), *(_difference(ours, grpo, w, "sampled") for w in ("in", "out"))])
    head = ("arm", "in, sampled", "in, greedy", "out, sampled", "out, greedy", "sampled − GRPO, in", "sampled − GRPO, out")
    return _table(head, rows)


def _accuracies(of_seed: dict[int, Any]) -> list[str]:
    return [interval(_values(of_seed, w, m)).percent() for w in ("in", "out") for m in MEASURES]


def _sweeps(found: dict[str, Any]) -> str:
    rows = []
    base = results.of(found, "cppo-verl")
    for name in arms.SWEEPS:
        for value, of_seed in results.sweep(found, name).items():
            ours = {s: r for s, r in of_seed.items() if s < 3}
            if ours:
                same = arms.SWEEPS[name][value] == "cppo-verl"
                differences = ["", ""] if same else [_difference(ours, base, w, "sampled") for w in ("in", "out")]
                figures = [interval(_values(ours, w, "sampled")).percent() for w in ("in", "out")]
                rows.append([name, value + (" (preset)" if same else ""), len(ours), *figures, *differences])
    return _table(("sweep", "value", "seeds", "in, sampled", "out, sampled", "− cppo-verl, in", "− cppo-verl, out"), rows)


def _of_examined(found: dict[str, Any], *path: str) -> str:
    """The mean over the seeds of a number of the detector's, by the names that lead to it."""
    values = [e["detector"] for e in found["examined"]]
    for name in path:
        values = [v[name] for v in values]
    return f"{statistics.fmean(values):.2f}"


def _detector(found: dict[str, Any]) -> str:
    rows = []
    for recipe in found["examined"][0]["detector"]:
        areas = [_of_examined(found, recipe, score, "area") for score in SCORES]
        rises = [_of_examined(found, recipe, "rise", kind) for kind in ("seen", "other")]
        rows.append([recipe, *areas, *rises])
    return _table(("removing view", *SCORES, "ΔH of words to be seen", "ΔH of others"), rows)


def _ratios(found: dict[str, Any]) -> str:
    rows = []
    for score in CHOICES:
        kinds = ("precision", "recall")
        cells = [[_of_examined(found, "cppo-removing", score, kind, str(ratio)) for kind in kinds] for ratio in RATIOS]
        rows.append([score, *(" / ".join(cell) for cell in cells)])
    return _table(("score", *(f"top {100 * r:g} %" for r in RATIOS)), rows)


def _views(found: dict[str, Any]) -> str:
    first = found["examined"][0]["under_views"]
    return _table(("the model sees", "accuracy, greedy"), [
        [name, interval([e["under_views"][name] for e in found["examined"]]).percent()] for name in first])  # fmt: skip


def _understanding(found: dict[str, Any]) -> str:
    rows = []
    for name in arms.MAIN:
        ours = [*results.of(found, name).values()]
        if ours:
            views = [interval([o["under_views"][v] for o in ours]).percent() for v in ("cppo-preserving", "cppo-removing")]
            areas = [f"{statistics.fmean(o['areas'][s] for o in ours):.2f}" for s in ("relative", "absolute", "divergence")]
            hits = ["–" if ours[0][k] is None else f"{statistics.fmean(o[k] for o in ours):.2f}" for k in ("precision", "recall")]
            rows.append([f"`{name}`", *views, *hits, *areas])
    head = ("arm", "right under preserving", "right under removing", "precision", "recall", "relative", "absolute", "divergence")
    return _table(head, rows)


def _times(found: dict[str, Any]) -> str:
    rows = []
    base = statistics.median(a["seconds"]["cpu"] for a in results.of(found, "grpo").values())
    for name in arms.MAIN:
        ours = [a["seconds"] for a in results.of(found, name).values()]
        if ours:
            cpu, service, server = (1000 * statistics.median(o[k] for o in ours) for k in ("cpu", "service", "server"))
            share = "" if name.startswith("grpo") else f"{100 * server / (cpu + server):.1f} %"
            cells = ["", ""] if name.startswith("grpo") else [f"{service:.0f}", f"{server:.1f}"]
            rows.append([f"`{name}`", f"{cpu:.0f}", f"{cpu / base / 1000:.2f}", *cells, share])
    head = ("arm", "step, ms of processor time", "× GRPO", "calls, ms of wall time", "server's own, ms", "server's share")
    return _table(head, rows)


def _pulls(found: dict[str, Any]) -> str:
    rows = []
    for name in found["examined"][0]["pulls"]:
        ours = [e["pulls"][name] for e in found["examined"]]
        ratio = interval([o["perception"] / o["policy"] for o in ours])
        cosines = [interval([o[k] for o in ours]) for k in ("policy_right", "perception_right", "together")]
        cells = ["", "", ""] if name == "grpo" else [f"{ratio.mean:.2f}", *(f"{c.mean:+.2f} ± {c.half:.2f}" for c in cosines[1:])]
        rows.append([f"`{name}`", f"{cosines[0].mean:+.2f}", *cells])
    return _table(("arm", "policy · right", "norm ÷ policy's", "perception · right", "perception · policy"), rows)


def _mature(found: dict[str, Any]) -> str:
    rows = []
    if not found["mature"]:
        return "Not measured in this study; `Tests/Training/run mature report` does it."
    for stages in zip(*found["mature"], strict=True):
        accuracy = statistics.fmean(s["greedy"] for s in stages)
        cells = []
        for recipe in ("cppo-removing", "papo-removing"):
            cells += [f"{statistics.fmean(s['areas'][recipe][score] for s in stages):.2f}" for score in SCORES[:-1]]
            cells += [f"{statistics.fmean(s['rise'][recipe][kind] for s in stages):+.2f}" for kind in ("seen", "other")]
        rows.append([f"{100 * accuracy:.0f} %", *cells])
    names = (*SCORES[:-1], "ΔH seen", "ΔH others")
    return _table(("right, greedy", *(f"{r}: {n}" for r in ("cppo", "papo") for n in names)), rows)


def _equality(found: dict[str, Any]) -> str:
    equal = found["equality"]
    return _table(("what", "found"), [
        ("steps of cppo-verl; tokens that carried loss", f"{equal['steps']}; {equal['gated']}"),
        ("largest change of a parameter by the training", f"{equal['moved']:.3g}"),
        ("largest difference, service and loss in the process", f"{equal['apart']:.3g}"),
        ("the same, with the model in float64", f"{equal['apart_float64']:.3g}"),
        ("largest difference to GRPO without perception loss", f"{equal['without']:.3g}"),
        (f"server killed {equal['kills']} times: parameters", "bit-identical" if equal["identical"] else "differ"),
        ("longest of its steps, seconds", f"{equal['waited']:.1f}"),
    ])  # fmt: skip


def _trl(found: dict[str, Any]) -> str:
    rows = []
    for run in found["trl"]["runs"]:
        start = next(s for s in found["trl"]["supervised"] if s["seed"] == run["seed"])
        first, last = (statistics.fmean(run["reward"][part]) for part in (slice(10), slice(-10, None)))
        server = run["perception"].get("server_ms")
        rows.append([
            f"`{run['arm']}`", run["seed"], len(run["reward"]), f"{100 * start['held_out']:.1f}",
            "–" if run["held_out"] is None else f"{100 * run['held_out']:.1f}", f"{100 * first:.1f}", f"{100 * last:.1f}",
            f"{statistics.median(run['step_time']):.2f}", f"{statistics.median(server):.1f}" if server else "",
        ])  # fmt: skip
    head = ("arm", "seed", "steps", "start", "end", "reward, first 10 steps", "reward, last 10 steps", "step, s", "server, ms")
    return _table(head, rows)


TABLES = {
    "main": _main, "sweeps": _sweeps, "detector": _detector, "ratios": _ratios, "views": _views,
    "understanding": _understanding, "times": _times, "mature": _mature, "pulls": _pulls, "equality": _equality, "trl": _trl,
}  # fmt: skip
