"""What one request of each kind takes: processor time by the server's own /metrics, and the most resident memory there was.

    python Tests/Benchmarks/sizing.py --binary .build/release/perception-server

Each kind has a server of its own, so that its memory is its own, and clients that send without pause; those of 64
connections and more are load.c, which waits where a full queue refuses it. Refused requests take processor time too: it
counts towards those that were answered. Memory is the kernel's high-water mark and holds mapped files as well.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import struct
import subprocess
import tempfile
import threading
import time

import numpy as np
import requests

from perturb_client import FORM, both_views
from services import LoadGenerator, Service, request

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


def kinds(shared):
    """Name, path, body, headers, connections; files of the shared folder are made on the way."""
    tensors, as_text = {"Content-Type": "application/x-safetensors"}, {"Content-Type": "application/json"}
    small, picture = safetensors(compact(8, 4096)), photograph()
    for connections in (8, 64, 512):
        yield "score, 8 x 4,096 tokens, safetensors", "/v1/score", small, tensors, connections
    yield "score, 8 x 4,096 tokens, JSON", "/v1/score", as_json(compact(8, 4096)), as_text, 8
    yield "score, 64 x 8,192 tokens, safetensors", "/v1/score", safetensors(compact(64, 8192)), tensors, 4
    yield ("entropy, 512 x 151,936 logits in BF16, streamed", "/v1/entropy",
           safetensors(logits(512, 151_936, ["original"])), tensors, 2)
    full = safetensors(logits(64, 32_000, ["original", "preserving", "removing"]))
    options = "preset=cppo-paper&gate=none"
    yield "score with full_kl and gradients, 64 x 32,000, BF16", f"/v1/score?{options}", full, tensors, 2
    (shared / "batch.safetensors").write_bytes(full)
    yield ("the same from and into shared files", f"/v1/score?{options}&input_file=batch.safetensors&output_file=result",
           b"", {}, 2)
    yield ("perturb, JPEG 1024 x 768 to PNG", "/v1/perturb?recipe=cppo-removing&seed=7", picture,
           {"Content-Type": "image/jpeg"}, 4)
    yield ("perturb, 16 JPEGs 1024 x 768 to 32 PNGs, multipart/mixed", "/v1/perturb", both_views(picture, 16, "png"),
           FORM | {"Accept": "multipart/mixed"}, 4)
    yield "preview, 8 draws", "/v1/recipes/cppo-removing/preview?draws=8", None, {}, 4


@contextlib.contextmanager
def running(binary, shared):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PERCEPTION_")}
    process = subprocess.Popen(
        [binary, "serve", "--port", "0", "--log-level", "error", "--shared-dir", str(shared)], stdout=subprocess.PIPE,
        text=True, env=environment)
    try:
        yield process.pid, re.search(r"http://\S+", process.stdout.readline())[0]
    finally:
        process.terminate()
        process.wait(30)


def processor_seconds(address):
    return float(re.search(r"^process_cpu_seconds_total (\S+)$", requests.get(address + "/metrics", timeout=30).text, re.M)[1])


def most_mebibytes(process):
    return int(re.search(r"VmHWM:\s+(\d+)", pathlib.Path(f"/proc/{process}/status").read_text())[1]) / 1024


def sent_by_threads(address, path, body, headers, connections):
    """Milliseconds of each answer."""
    done, over = [], time.monotonic() + SECONDS

    def send(number):
        # Files have one writer each.
        target = address + path.replace("output_file=result", f"output_file=result{number}")
        with requests.Session() as session:
            while time.monotonic() < over:
                begin = time.monotonic()
                reply = session.request("GET" if body is None else "POST", target, data=body, headers=headers, timeout=120)
                reply.raise_for_status()
                done.append((time.monotonic() - begin) * 1e3)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done


def sent_by_generator(address, path, body, headers, connections):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "request"
        file.write_bytes(request("POST", path, body, headers["Content-Type"]))
        run = LoadGenerator(folder).run(Service("here", address), connections, [file], seconds=SECONDS, waits=True)
    return run.milliseconds[run.statuses == 200]


def measure(process, address, path, body, headers, connections):
    idle, used = most_mebibytes(process), processor_seconds(address)
    begin = time.monotonic()
    done = (sent_by_generator if connections >= 64 else sent_by_threads)(address, path, body, headers, connections)
    took = time.monotonic() - begin
    return {"connections": connections, "body MB": len(body or b"") / 1e6, "requests/s": len(done) / took,
            "CPU ms each": (processor_seconds(address) - used) / len(done) * 1e3, "median ms": float(np.median(done)),
            "idle MiB": idle, "most MiB": most_mebibytes(process)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/dev/shm") as shared:
        for name, path, body, headers, connections in kinds(pathlib.Path(shared)):
            with running(options.binary, shared) as (process, address):
                found = measure(process, address, path, body, headers, connections)
            print(f"{name}: " + ", ".join(f"{what} {value:.4g}" for what, value in found.items()), flush=True)


if __name__ == "__main__":
    main()
