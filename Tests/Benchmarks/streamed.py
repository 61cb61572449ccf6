"""Entropies of a large body of logits while it arrives: throughput and memory, beside the transport and a Python peer.

    python Tests/Benchmarks/streamed.py --binary .build/release/perception-server [--gigabytes 2] [--json FILE]

Three services are asked in turn, so that all meet the same noise: this one; a libmicrohttpd server that throws every byte
away (discard.c, compiled here), the limit of the transport; and FastAPI with torch (streamed_peer.py). The client sends
one block of 64 rows again and again from a single buffer, as fast as the socket takes it, over 1 and 2 connections. Memory is
the largest resident set of the process so far (VmHWM). The peer, which holds whole bodies, gets a quarter of the bytes.
"""

import argparse
import contextlib
import json
import pathlib
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "Contract"))

import accuracy
import serving
import wire
import workload

VOCABULARY = 151_936
BLOCK_ROWS = 64
SIZES = {"F32": 4, "BF16": 2, "F16": 2}


class Body:
    """A safetensors file with one tensor `logits` [N, V] whose rows repeat after 64."""

    def __init__(self, dtype, total):
        self.block = accuracy.rounded(workload.logits(BLOCK_ROWS, VOCABULARY), dtype).data
        self.blocks = max(1, total // len(self.block))
        size = self.blocks * len(self.block)
        header = json.dumps({
            "logits": {
                "dtype": dtype, "shape": [self.blocks * BLOCK_ROWS, VOCABULARY], "data_offsets": [0, size]}}).encode()
        header += b" " * (-len(header) % 8)
        self.head = struct.pack("<Q", len(header)) + header
        self.length = len(self.head) + size

    def post(self, url):
        """Seconds from the first byte sent to the last byte of the answer, and the answer's body."""
        address = urllib.parse.urlsplit(url)
        with socket.create_connection((address.hostname, address.port), timeout=300) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            started = time.perf_counter()
            connection.sendall(
                f"POST /v1/entropy HTTP/1.1\r\nHost: localhost\r\nContent-Type: {wire.MEDIA_TYPE}\r\n"
                f"Content-Length: {self.length}\r\nConnection: close\r\n\r\n".encode() + self.head)
            view = memoryview(self.block)
            for _ in range(self.blocks):
                connection.sendall(view)
            answer = b"".join(iter(lambda: connection.recv(1 << 20), b""))
            spent = time.perf_counter() - started
        head, _, content = answer.partition(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n")[0] + b" ":
            sys.exit(f"{url} answered {answer[:600]!r}")
        return spent, content


def rate(body, url, connections):
    """Bytes a second over all connections together."""
    if connections == 1:
        return body.length / body.post(url)[0]
    threads = [threading.Thread(target=body.post, args=(url,)) for _ in range(connections)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return connections * body.length / (time.perf_counter() - started)


def peak(pid):
    """The process's largest resident set so far, in bytes."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024


@contextlib.contextmanager
def process(command, ready=None, **options):
    """(URL, pid) of a service that prints its URL first, or is ready at `ready`."""
    service = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)
    try:
        if ready:
            serving.wait_until_ready(ready)
        yield ready or service.stdout.readline().strip(), service.pid
    finally:
        service.terminate()
        service.wait(20)


@contextlib.contextmanager
def discarding(threads=2):
    with tempfile.TemporaryDirectory() as folder:
        binary = f"{folder}/discard"
        subprocess.run(["cc", "-O2", "-o", binary, HERE / "discard.c", "-lmicrohttpd"], check=True)
        with process([binary, str(threads)]) as running:
            yield running


@contextlib.contextmanager
def peer():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "uvicorn", "streamed_peer:app", "--port", str(port), "--log-level", "warning"]
    with process(command, f"http://127.0.0.1:{port}", cwd=HERE) as running:
        yield running


@contextlib.contextmanager
def perception(binary):
    with process([binary, "serve", "--port", "0", "--log-level", "notice"], env=serving.environment()) as (line, pid):
        yield serving.ADDRESS.search(line)[0], pid


def check(body, services):
    """The peer's entropies and ours agree, so both did the work."""
    small = [wire.read(body.post(services[name][0])[1])[0]["entropy"].values for name in ("perception", "peer")]
    assert np.abs(small[0] - small[1]).max() < 1e-3, "the services disagree"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--binary", required=True)
    arguments.add_argument("--gigabytes", type=float, default=2)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--no-peer", action="store_true")
    arguments.add_argument("--json", help="file for the figures")
    chosen = arguments.parse_args()
    total = int(chosen.gigabytes * (1 << 30))
    figures = []
    with contextlib.ExitStack() as stack:
        services = {
            "perception": stack.enter_context(perception(chosen.binary)), "discard": stack.enter_context(discarding())}
        if not chosen.no_peer:
            services["peer"] = stack.enter_context(peer())
            check(Body("F32", 1), services)
        print("type  connections   GB/s: here  discard  peer    here/discard  here/peer")
        for dtype in SIZES:
            bodies = {name: Body(dtype, total // 4 if name == "peer" else total) for name in services}
            for connections in (1, 2):
                rates = {name: [] for name in services}
                for _ in range(chosen.rounds):
                    for name, (url, _) in services.items():
                        rates[name].append(rate(bodies[name], url, connections) / 1e9)
                middle = {name: statistics.median(values) for name, values in rates.items()}
                ratios = {
                    name: statistics.median(a / b for a, b in zip(rates["perception"], rates[name]))
                    for name in services if name != "perception"}
                figures.append({
                    "type": dtype, "connections": connections, "gigabytes_per_second": middle, "ratios": ratios})
                print(
                    f"{dtype:5} {connections:11} {middle['perception']:12.2f} {middle['discard']:8.2f} "
                    f"{middle.get('peer', float('nan')):5.2f} {ratios['discard']:15.2f} "
                    f"{ratios.get('peer', float('nan')):10.1f}")
        memory = {name: peak(pid) / 1e6 for name, (_, pid) in services.items()}
        print("largest resident set, MB: " + ", ".join(f"{name} {value:.0f}" for name, value in memory.items()))
    if chosen.json:
        pathlib.Path(chosen.json).write_text(json.dumps({"streamed": figures, "peak_megabytes": memory}, indent=1))


if __name__ == "__main__":
    main()
