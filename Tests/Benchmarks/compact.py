"""Compact /v1/score, as safetensors and as JSON, beside a Python peer: latency, requests per second, processor time.

    python Tests/Benchmarks/compact.py --binary .build/release/perception-server [--peer-workers 2] [--json FILE]

Batches of 8 × 4,096 and 64 × 8,192 tokens. The client is load.c: one thread, prepared requests, answers thrown away, so
that little of the machine goes to it; each answer's loss is checked once before. Both services are up all the time and
are measured in turn, round by round, so that both meet the same noise: latency on one connection, then requests per
second on eight. Processor time is what the service's processes used for each request on eight connections, kernel
included; it hardly depends on what else the machine does. The table goes to standard error, JSON to standard output or
FILE.
"""

import argparse
import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import urllib.parse

import numpy as np
import requests

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "Contract"))

import serving
import twin
import wire
import workload

BATCHES = ((8, 4096), (64, 8192))
CONNECTIONS = 8
TICK = 1 / os.sysconf("SC_CLK_TCK")


class Service:
    def __init__(self, name, url):
        self.name, self.url = name, url
        self.port = urllib.parse.urlsplit(url).port

    def processor_seconds(self):
        """Of the process that listens and its children, user and system."""
        found = 0
        listening = self.processes()
        for process in listening:
            fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            found += int(fields[11]) + int(fields[12])
        return found * TICK

    def processes(self):
        inodes = {
            line.split()[9] for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]
            if line.split()[1].endswith(f":{self.port:04X}") and line.split()[3] == "0A"}
        holders = set()
        for entry in pathlib.Path("/proc").glob("[0-9]*/fd/*"):
            with contextlib.suppress(OSError):
                if os.readlink(entry)[8:-1] in inodes:
                    holders.add(entry.parts[2])
        return holders

    def check(self, body, media_type, expected):
        reply = requests.post(self.url + "/v1/score", data=body, headers={"Content-Type": media_type}, timeout=60)
        if reply.status_code != 200:
            sys.exit(f"{self.name}: {reply.status_code}: {reply.content[:500]!r}")
        content = reply.content
        found = json.loads(wire.read(content)[1]["result"] if media_type == wire.MEDIA_TYPE else content)["loss"]
        assert abs(found - expected) <= 1e-5 * abs(expected), (self.name, found, expected)
        return len(content)


@contextlib.contextmanager
def peer(workers):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # As many processes as cores, each with one thread of torch: more of either is slower.
    threads = max(1, os.cpu_count() // workers)
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "peer:app", "--port", str(port), "--log-level", "warning",
         "--workers", str(workers)],
        cwd=HERE, env=os.environ | {"OMP_NUM_THREADS": str(threads)})
    try:
        url = f"http://127.0.0.1:{port}"
        serving.wait_until_ready(url)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def load(program, service, connections, count, request):
    """(seconds for all requests, milliseconds of each)."""
    done = subprocess.run(
        [program, str(service.port), str(connections), str(count), request], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{service.name}: {done.stderr}")
    numbers = [float(line) for line in done.stdout.split()]
    return numbers[0], numbers[1:]


def measure(program, services, request, count, rounds):
    """Figures of each service for one prepared request."""
    latencies = {s.name: [] for s in services}
    rates = {s.name: [] for s in services}
    used = {s.name: [] for s in services}
    for turn in range(rounds + 1):
        for service in services:
            share = max(2, count // rounds)
            _, spent = load(program, service, 1, share, request)
            before = service.processor_seconds()
            wide = max(2 * CONNECTIONS, count // rounds)
            seconds, _ = load(program, service, CONNECTIONS, wide, request)
            if turn == 0:
                continue
            used[service.name].append((service.processor_seconds() - before) / wide * 1e3)
            latencies[service.name] += spent
            rates[service.name].append(wide / seconds)
    return {
        name: {
            "median_ms": float(np.median(latencies[name])), "p99_ms": float(np.quantile(latencies[name], 0.99)),
            "requests_per_second": float(np.median(rates[name])), "processor_ms": float(np.median(used[name])),
        }
        for name in latencies}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    where = arguments.add_mutually_exclusive_group(required=True)
    where.add_argument("--server", help="base URL of a running server")
    where.add_argument("--binary", help="server binary to start and stop")
    arguments.add_argument(
        "--requests", type=int, default=400, help="of the small batch as safetensors; others fewer (default 400)")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument(
        "--peer-workers", type=int, default=os.cpu_count(), help="processes of the peer; 0: no peer (default: cores)")
    arguments.add_argument("--json", type=pathlib.Path, help="write the figures here")
    chosen = arguments.parse_args()

    figures = []
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        program = str(folder / "load")
        subprocess.run(
            [os.environ.get("CC", "cc"), "-D_GNU_SOURCE", "-O2", "-o", program, HERE / "load.c"], check=True)
        services = [Service("here", chosen.server or stack.enter_context(serving.running(chosen.binary)))]
        if chosen.peer_workers:
            services.append(Service("peer", stack.enter_context(peer(chosen.peer_workers))))
        for rows, length in BATCHES:
            tensors = {k: v.astype(np.float32) for k, v in workload.compact(rows, length).items()}
            stored = {k: wire.Stored.of(v) for k, v in tensors.items()}
            expected = twin.score(tensors, {"preset": "cppo-verl"})[1]["loss"]
            weight = rows * length // (8 * 4096)
            for kind, media_type, cost in (("safetensors", wire.MEDIA_TYPE, 1), ("json", "application/json", 5)):
                body = (
                    wire.write(stored) if kind == "safetensors" else json.dumps(wire.rollouts(stored)).encode())
                head = (
                    f"POST /v1/score HTTP/1.1\r\nHost: localhost\r\nContent-Type: {media_type}\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n")
                request = folder / "request"
                request.write_bytes(head.encode() + body)
                sizes = {s.name: s.check(body, media_type, expected) for s in services}
                count = max(chosen.requests // (weight * cost), 4 * chosen.rounds)
                found = measure(program, services, str(request), count, chosen.rounds)
                for name, numbers in found.items():
                    figures.append(
                        {"batch": f"{rows} x {length}", "encoding": kind, "service": name, "request_bytes": len(body),
                         "reply_bytes": sizes[name]} | numbers)
                show(figures[-len(services):])
    document = json.dumps({"connections": CONNECTIONS, "peer_workers": chosen.peer_workers, "figures": figures})
    chosen.json.write_text(document) if chosen.json else print(document)


def show(lines):
    """One cell's figures of each service, and how many times better the first is."""
    columns = ("median_ms", "p99_ms", "requests_per_second", "processor_ms")
    header = "{:11} {:12} {:6} {:>10} {:>10} {:>10} {:>10}"
    form = "{:11} {:12} {:6} {:10.2f} {:10.2f} {:10.1f} {:10.2f}"
    print(
        header.format("batch", "encoding", "", "median ms", "p99 ms", "req/s of 8", "CPU ms"), file=sys.stderr)
    for line in lines:
        print(
            form.format(line["batch"], line["encoding"], line["service"], *(line[c] for c in columns)),
            file=sys.stderr)
    if len(lines) == 2:
        here, other = lines
        ratios = [
            here[c] / other[c] if c == "requests_per_second" else other[c] / here[c] for c in columns]
        print(form.format("", "", "ratio", *ratios), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
