"""What one request of each kind takes: processor time, memory above idle, and requests a second, by the server's own /metrics.

Each kind has a server of its own, so that its memory is its own. python sizing.py --binary .build/release/perception-server
"""

import argparse
import contextlib
import json
import os
import re
import struct
import subprocess
import threading
import time

import numpy as np
import requests

SECONDS = 6


def safetensors(tensors):
    offset, header, data = 0, {}, []
    for name, (kind, array) in tensors.items():
        raw = array.tobytes()
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [offset, offset + len(raw)]}
        offset += len(raw)
        data.append(raw)
    text = json.dumps(header).encode()
    return b"".join([struct.pack("<Q", len(text)), text, *data])


def compact(rows, tokens):
    random = np.random.default_rng(1)
    tensors = {f"{view}.log_probs": ("F32", -random.exponential(1, (rows, tokens)).astype(np.float32))
               for view in ("original", "preserving", "removing")}
    for view in ("original", "removing"):
        tensors[f"{view}.entropy"] = ("F32", random.exponential(1, (rows, tokens)).astype(np.float32))
    tensors["advantages"] = ("F32", random.normal(size=rows).astype(np.float32))
    return tensors


def as_json(tensors):
    return json.dumps({name: array.tolist() for name, (_, array) in tensors.items()}).encode()


def logits(tokens, vocabulary, views):
    """BF16: the upper halves of 32-bit floats."""
    random = np.random.default_rng(2)
    tensors = {}
    for view in views:
        values = random.normal(0, 3, (tokens, vocabulary)).astype(np.float32)
        tensors[f"{view}.logits"] = ("BF16", (values.view(np.uint32) >> 16).astype(np.uint16))
    tensors["cu_seqlens"] = ("I32", np.array([0, tokens], np.int32))
    return tensors


def photograph():
    from PIL import Image
    import io

    random = np.random.default_rng(3)
    small = Image.fromarray(random.integers(0, 255, (48, 64, 3), np.uint8))
    file = io.BytesIO()
    small.resize((1024, 768), Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
    return file.getvalue()


def kinds():
    tensors, json_type = "application/x-safetensors", "application/json"
    small = compact(8, 4096)
    yield "score, 8 x 4,096 tokens, safetensors", "/v1/score", safetensors(small), tensors, 8
    yield "score, 8 x 4,096 tokens, JSON", "/v1/score", as_json(small), json_type, 8
    yield "score, 64 x 8,192 tokens, safetensors", "/v1/score", safetensors(compact(64, 8192)), tensors, 4
    yield ("entropy, 512 x 151,936 logits in BF16, streamed", "/v1/entropy",
           safetensors(logits(512, 151_936, ["original"])), tensors, 2)
    full = logits(64, 32_000, ["original", "preserving", "removing"])
    yield ("score with full_kl and gradients, 64 x 32,000, BF16", "/v1/score?preset=cppo-paper&gate=none",
           safetensors(full), tensors, 2)
    yield ("perturb, JPEG 1024 x 768 to PNG", "/v1/perturb?recipe=cppo-removing&seed=7", photograph(), "image/jpeg", 4)


@contextlib.contextmanager
def running(binary):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PERCEPTION_")}
    process = subprocess.Popen([binary, "serve", "--port", "0", "--log-level", "warning"], stdout=subprocess.PIPE, text=True,
                               env=environment)
    try:
        yield re.search(r"http://\S+", process.stdout.readline())[0]
    finally:
        process.terminate()
        process.wait(30)


def figures(address):
    text = requests.get(address + "/metrics", timeout=30).text
    return {name: float(re.search(rf"^process_{name} (\S+)$", text, re.M)[1])
            for name in ("cpu_seconds_total", "resident_memory_bytes")}


def measure(address, path, body, kind, connections):
    idle = figures(address)
    done, over, most = [], threading.Event(), idle["resident_memory_bytes"]

    def send():
        with requests.Session() as session:
            while not over.is_set():
                begin = time.monotonic()
                reply = session.post(address + path, body, headers={"Content-Type": kind}, timeout=120)
                reply.raise_for_status()
                done.append(time.monotonic() - begin)

    threads = [threading.Thread(target=send) for _ in range(connections)]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    while time.monotonic() < begin + SECONDS:
        most = max(most, figures(address)["resident_memory_bytes"])
        time.sleep(0.05)
    over.set()
    for thread in threads:
        thread.join()
    took = time.monotonic() - begin
    used = figures(address)["cpu_seconds_total"] - idle["cpu_seconds_total"]
    return {"connections": connections, "body MB": len(body) / 1e6, "requests/s": len(done) / took,
            "CPU ms each": used / len(done) * 1e3, "median ms": float(np.median(done)) * 1e3,
            "idle MiB": idle["resident_memory_bytes"] / 2**20, "most MiB": most / 2**20}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    options = parser.parse_args()
    for name, path, body, kind, connections in kinds():
        with running(options.binary) as address:
            found = measure(address, path, body, kind, connections)
        print(f"{name}: " + ", ".join(f"{what} {value:.4g}" for what, value in found.items()), flush=True)


if __name__ == "__main__":
    main()
