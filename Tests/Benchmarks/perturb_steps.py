"""Every step alone in nanoseconds a pixel, by the server's own clock, beside Pillow and its kin and beside a mere copy."""

import inspect
import io
import json
import re
import sys
import time

import numpy as np
from PIL import Image

from perturb_client import FORM, connected, multipart, photograph, post

COMPUTE = re.compile(r"compute;dur=([0-9.]+)")
# What changes the size would change it again, and long lists of patches make long requests.
ONCE = {"concat", "rotation with expand"}
TWICE = {"occlusion"}


def compute(connection, jpegs, steps):
    """Milliseconds of the server's own clock for these steps."""
    request = {
        "images": [{"id": "picture"}, {"id": "second", "second_only": True}],
        "views": [{"name": "view", "steps": steps}]}
    body = multipart(request, zip(("picture", "second"), jpegs))
    reply, _ = post(connection, "/v1/perturb", body, FORM | {"Accept": "application/x-safetensors"})
    return float(COMPUTE.search(reply.headers["Server-Timing"])[1])


def milliseconds(work, *arguments):
    started = time.perf_counter()
    work(*arguments)
    return (time.perf_counter() - started) * 1e3


def measure(address, jpeg, repeats=8, runs=9):
    """Each step several times in a row, to stand out from the rest; the smallest of several runs, in turn with its peer."""
    import pillow_steps
    connection = connected(address)
    connection.request("GET", "/v1/recipes")
    known = {step["step"] for step in json.loads(connection.getresponse().read())["steps"]}
    if known != {name for name, _, _ in pillow_steps.STEPS}:
        sys.exit(f"steps without a peer, or the other way round: {known ^ {name for name, _, _ in pillow_steps.STEPS}}")
    jpegs = (jpeg, photograph((640, 480)))
    image, second = (Image.open(io.BytesIO(one)).convert("RGB") for one in jpegs)
    pixels = image.width * image.height
    samples = np.array(image)
    target = np.empty_like(samples)
    copied = min(milliseconds(np.copyto, target, samples) for _ in range(100))
    print(f"a copy of the picture: {copied * 1e6 / pixels:.2f} ns a pixel\n")
    print("| step | ns a pixel | copies | its peer's ns | ratio |\n|---|---|---|---|---|")
    results = []
    for name, parameters, peer in pillow_steps.STEPS:
        step = {"step": name} | parameters
        label = f"{name} with expand" if parameters.get("expand") else name
        count = 1 if label in ONCE else 2 if label in TWICE else repeats
        both = len(inspect.signature(peer).parameters) > 1 and inspect.signature(peer).parameters.get("second")
        inputs = (image, second) if both else (image,)
        ours, theirs = [], []
        for _ in range(runs):
            empty = compute(connection, jpegs, [])
            ours.append((compute(connection, jpegs, [step] * count) - empty) / count)
            theirs.append(milliseconds(peer, *inputs))
        row = {
            "step": name, "parameters": {k: v for k, v in parameters.items() if not isinstance(v, list)},
            "ns a pixel": max(min(ours), 0) * 1e6 / pixels, "copies": max(min(ours), 0) / copied,
            "peer's ns a pixel": min(theirs) * 1e6 / pixels}
        row["ratio"] = row["ns a pixel"] / row["peer's ns a pixel"]
        results.append(row)
        shown = ", ".join(f"{key} {value}" for key, value in row["parameters"].items() if not key.endswith("seed"))
        figures = " | ".join(f"{row[key]:.2f}" for key in ("ns a pixel", "copies", "peer's ns a pixel", "ratio"))
        print(f"| {' '.join(filter(None, (name, shown)))} | {figures} |", flush=True)
    worst = sorted((row for row in results if row["ratio"] > 1), key=lambda row: -row["ratio"])
    print("\nslower than their peers:", ", ".join(f"{row['step']} {row['ratio']:.1f}" for row in worst) or "none")
    return {"copy ns a pixel": copied * 1e6 / pixels, "steps": results}
