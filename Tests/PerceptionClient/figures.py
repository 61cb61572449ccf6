"""What a caller waits for, medians in one run; for an idle machine. Not a test.

PERCEPTION_SERVER_BINARY=… python Tests/PerceptionClient/figures.py
"""

import io
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "Sources/perception-client"), str(HERE.parent / "Contract")]

import numpy as np
import requests
import serving
from PIL import Image

from features import FIXTURES
from perception_client import Perception
from scripted import free_port


def median(function, rounds, warm=3):
    """Milliseconds."""
    for _ in range(warm):
        function()
    spent = []
    for _ in range(rounds):
        started = time.perf_counter()
        function()
        spent.append((time.perf_counter() - started) * 1e3)
    return statistics.median(spent)


def batch(rows, tokens):
    r = np.random.default_rng(0)
    return {
        "log_probs": {v: -r.exponential(1, (rows, tokens)).astype("f4") for v in ("original", "preserving", "removing")},
        "entropy": {v: r.exponential(1, (rows, tokens)).astype("f4") for v in ("original", "removing")},
        "response_mask": np.ones((rows, tokens), bool),
        "advantages": r.normal(size=rows).astype("f4"),
    }


def calls(url):
    client = Perception(url)
    for rows, tokens, rounds in ((4, 48, 500), (8, 1024, 200), (8, 4096, 100), (64, 4096, 20)):
        given = batch(rows, tokens)
        spent = median(lambda given=given: client.score(**given, return_=["mask", "grad"]), rounds)
        print(f"score {rows} × {tokens}, mask and gradients: {spent:.2f} ms, server {client.score(**given).server_ms:.2f} ms")
    session = requests.Session()
    print(
        f"/v1/info: this client {median(client.info, 500):.2f} ms, requests {median(lambda: session.get(url + '/v1/info'), 500):.2f} ms"
    )


def pictures(url):
    base = Image.open(FIXTURES / "photograph.jpg").convert("RGB").resize((1024, 768))
    images = [base.rotate(k * 3) for k in range(8)]
    client = Perception(url)
    print(
        f"views of eight 1024 × 768 Pillow images, both CPPO views: {median(lambda: client.views(images, seed=1), 7):.0f} ms",
        end="",
    )
    print(f" ({'pixels' if client._takes_pixels else 'PNG files'}), server {client.views(images, seed=1).server_ms:.0f} ms")
    files = []
    for image in images:
        out = io.BytesIO()
        image.save(out, "JPEG", quality=92)
        files.append(out.getvalue())
    print(f"the same of JPEG files, PNG files back: {median(lambda: client.views(files, seed=1), 5):.0f} ms")


def outage():
    """Seconds lost beyond a server's ten seconds away."""
    binary, port = os.environ["PERCEPTION_SERVER_BINARY"], free_port()
    command = [binary, "serve", "--port", str(port), "--log-level", "error"]
    client = Perception(f"http://127.0.0.1:{port}", deadline=60)
    with subprocess.Popen(command, env=serving.environment()) as first:
        client.info()
        first.kill()
    again = []
    threading.Timer(10, lambda: again.append(subprocess.Popen(command, env=serving.environment()))).start()
    started = time.monotonic()
    client.presets()
    print(f"a server away for 10 s: the call took {time.monotonic() - started:.1f} s")
    again[0].terminate()
    again[0].wait()


if __name__ == "__main__":
    with serving.running(os.environ["PERCEPTION_SERVER_BINARY"]) as address:
        calls(address)
        pictures(address)
    outage()
