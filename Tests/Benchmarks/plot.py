"""Plots of the figures that `run` left behind: FOLDER/kernels.svg, FOLDER/services.svg and FOLDER/connections.svg.

    python Tests/Benchmarks/plot.py FOLDER
"""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot

TYPES = ("F32", "BF16", "F16")


def read(folder, name):
    path = folder / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def kernels(folder):
    """Bytes read a second by each instruction set on two threads, under the line of a loop that only reads."""
    measured, peer = read(folder, "kernels"), read(folder, "torch")
    if not measured:
        return
    bars = {
        s: [rate(measured["kernels"], t, set=s, kernel="statistics") for t in TYPES]
        for s in measured["instruction_sets"]}
    if peer:
        for label, chosen in (("PyTorch, best chunks", max), ("PyTorch, whole", None)):
            bars[label] = [torch_rate(peer["torch"], t, chosen) for t in TYPES]
    figure, axes = pyplot.subplots(figsize=(8, 4))
    width = 0.8 / len(bars)
    for place, (label, values) in enumerate(bars.items()):
        axes.bar([x + place * width for x in range(len(TYPES))], values, width, label=label)
    for x, name in enumerate(TYPES):
        limit = rate(measured["read"], name)
        axes.hlines(limit, x - width / 2, x + 0.8 - width / 2, colors="black", label="reading alone" if x == 0 else None)
    axes.set_xticks([x + 0.4 - width / 2 for x in range(len(TYPES))], TYPES)
    axes.set_ylabel("GB/s, 2 threads")
    axes.set_title("Log-sum-exp and entropy of logits, V = 151,936")
    axes.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    save(figure, folder / "kernels.svg")


def rate(rows, dtype, threads=2, **named):
    return next(
        r["gigabytes_per_second"] for r in rows
        if r["type"] == dtype and r["threads"] == threads and all(r[k] == v for k, v in named.items()))


def torch_rate(rows, dtype, best):
    found = {(r["threads"], r["form"]): r["gigabytes_per_second"] for r in rows if r["type"] == dtype}
    return max(found.values()) if best else found[2, "whole"]


def services(folder):
    """How many times the peer's throughput the server has."""
    ratios = {}
    for row in (read(folder, "streamed") or {"streamed": []})["streamed"]:
        if "peer" in row["ratios"] and row["connections"] == 1:
            ratios[f"entropy streamed, {row['type']}"] = row["ratios"]["peer"]
    cells = {}
    for row in (read(folder, "compact") or {"figures": []})["figures"]:
        cells.setdefault((row["batch"], row["encoding"]), {})[row["service"]] = row["requests_per_second"]
    for (batch, encoding), by in cells.items():
        if "peer" in by:
            ratios[f"score {batch}, {encoding}"] = by["here"] / by["peer"]
    if not ratios:
        return
    figure, axes = pyplot.subplots(figsize=(8, 0.5 + 0.45 * len(ratios)))
    bars = axes.barh(list(ratios), list(ratios.values()))
    axes.bar_label(bars, fmt="%.1f×", padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel("throughput, times that of FastAPI and PyTorch in the same run")
    save(figure, folder / "services.svg")


def connections(folder):
    """Requests a second and the median and 99th percentile of latency against connections, each request a column."""
    cells = (read(folder, "connections") or {"connections": []})["connections"]
    closed = [cell for cell in cells if cell["loop"] == "closed"]
    if not closed:
        return
    cases = list(dict.fromkeys(cell["request"] for cell in closed))
    figure, axes = pyplot.subplots(2, len(cases), figsize=(3.2 * len(cases), 6), sharex=True, squeeze=False)
    for column, case in enumerate(cases):
        for service, color in (("here", "tab:blue"), ("peer", "tab:orange")):
            row = [cell for cell in closed if cell["request"] == case and cell["service"] == service]
            widths = [cell["connections"] for cell in row]
            axes[0][column].plot(
                widths, [cell["requests_per_second"] for cell in row], "o-", color=color, label=service)
            for key, style in (("p50_ms", "o-"), ("p99_ms", "o:")):
                answered = [cell for cell in row if cell[key] is not None]
                axes[1][column].plot(
                    [cell["connections"] for cell in answered], [cell[key] for cell in answered], style, color=color,
                    label=f"{service}, {key[:3]}")
        axes[0][column].set_title(case)
        axes[0][column].set_ylim(bottom=0)
        axes[1][column].set_yscale("log")
        axes[1][column].set_xscale("log", base=2)
        axes[1][column].set_xticks(widths, widths)
        axes[1][column].set_xlabel("connections")
    axes[0][0].set_ylabel("answered requests/s")
    axes[1][0].set_ylabel("ms")
    for row in axes:
        row[0].legend(fontsize="small")
    save(figure, folder / "connections.svg")


def save(figure, path):
    figure.tight_layout()
    figure.savefig(path)
    print(f"plot: {path}")


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    kernels(folder)
    services(folder)
    connections(folder)
