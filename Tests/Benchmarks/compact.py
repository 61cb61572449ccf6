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
import sys
import tempfile

import numpy as np
import requests

from services import LoadGenerator, Service, peer, request, server  # noqa: I001  (finds the folder of the next two)

import twin
import wire
import workload

BATCHES = ((8, 4096), (64, 8192))
CONNECTIONS = 8


def check(service, body, media_type, expected):
    """Bytes of an answer whose loss is right."""
    reply = requests.post(service.url + "/v1/score", data=body, headers={"Content-Type": media_type}, timeout=60)
    if reply.status_code != 200:
        sys.exit(f"{service.name}: {reply.status_code}: {reply.content[:500]!r}")
    content = reply.content
    found = json.loads(wire.read(content)[1]["result"] if media_type == wire.MEDIA_TYPE else content)["loss"]
    assert abs(found - expected) <= 1e-5 * abs(expected), (service.name, found, expected)
    return len(content)


def measure(generator, services, file, count, rounds):
    """Figures of each service for one prepared request."""
    latencies = {s.name: [] for s in services}
    rates = {s.name: [] for s in services}
    used = {s.name: [] for s in services}
    for turn in range(rounds + 1):
        for service in services:
            share = max(2, count // rounds)
            spent = generator.run(service, 1, [file], requests=share)
            before = service.processor_seconds()
            wide = max(2 * CONNECTIONS, count // rounds)
            many = generator.run(service, CONNECTIONS, [file], requests=wide)
            if statuses := {*spent.statuses, *many.statuses} - {200}:
                sys.exit(f"{service.name}: answers with {', '.join(map(str, statuses))} (0: a broken connection)")
            if turn == 0:
                continue
            used[service.name].append((service.processor_seconds() - before) / wide * 1e3)
            latencies[service.name] += list(spent.milliseconds)
            rates[service.name].append(wide / many.seconds)
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
        generator = LoadGenerator(folder)
        services = [Service("here", chosen.server or stack.enter_context(server(chosen.binary)))]
        if chosen.peer_workers:
            services.append(Service("peer", stack.enter_context(peer("peer", chosen.peer_workers))))
        for rows, length in BATCHES:
            tensors = {k: v.astype(np.float32) for k, v in workload.compact(rows, length).items()}
            stored = {k: wire.Stored.of(v) for k, v in tensors.items()}
            expected = twin.score(tensors, {"preset": "cppo-verl"})[1]["loss"]
            weight = rows * length // (8 * 4096)
            for kind, media_type, cost in (("safetensors", wire.MEDIA_TYPE, 1), ("json", "application/json", 5)):
                body = (
                    wire.write(stored) if kind == "safetensors" else json.dumps(wire.rollouts(stored)).encode())
                file = folder / "request"
                file.write_bytes(request("POST", "/v1/score", body, media_type))
                sizes = {s.name: check(s, body, media_type, expected) for s in services}
                count = max(chosen.requests // (weight * cost), 4 * chosen.rounds)
                found = measure(generator, services, file, count, chosen.rounds)
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
