"""Requests a second and latency against open connections, beside the peer in FastAPI.

    python Tests/Benchmarks/connections.py --binary .build/release/perception-server [--no-peer] [--json FILE]

GET /healthz; /v1/score of 2 × 256 and of 8 × 4,096 tokens in safetensors; /v1/perturb of a JPEG of 512 × 384 to JPEG by
the recipe cppo-removing with sixteen seeds; over 1, 8, 64 and 512 connections.

The loop is closed: each connection sends its next request as soon as it has its answer, so with more connections a
request waits for more others, and latency is what one of so many impatient clients sees. No request is left out of the
percentiles but the first of each connection, which meet an empty server. Both services are up all the time and measured
in turn. CPU is the service's processor time for each answer, CPU of the client (load.c, one thread) its share of a core:
both share the machine's cores, as a trainer and its sidecar do.

Then an open loop: requests are due at half the rate that the closed loop reached on 64 connections, whether or not
earlier ones are answered, and their time counts from when they were due.

Last, a server whose queue takes half of 512 connections, and clients that honour its 503 and Retry-After: the time of a
request counts from its first attempt. The peer has no limit; there everybody waits. `refused` are answers with 503,
`failed` all others but 200 and broken connections.
"""

import argparse
import contextlib
import io
import json
import pathlib
import sys
import tempfile

import numpy as np
from PIL import Image
from services import HERE, LoadGenerator, Service, peer, request, server  # noqa: I001  (finds the folder of wire)

import wire
import workload

CONNECTIONS = (1, 8, 64, 512)
RATE_CONNECTIONS = 64
PATIENT = ("perturb 512 x 384",)
SEEDS = 16
PERCENTILES = (50, 99, 99.9)


def score(rows, length):
    tensors = {name: wire.Stored.of(values.astype(np.float32)) for name, values in workload.compact(rows, length).items()}
    return [request("POST", "/v1/score", wire.write(tensors), wire.MEDIA_TYPE)]


def perturb():
    photograph = io.BytesIO()
    Image.open(HERE.parent / "Fixtures" / "photograph.jpg").convert("RGB").resize((512, 384), Image.LANCZOS).save(
        photograph, "JPEG", quality=92)
    target = "/v1/perturb?recipe=cppo-removing&format=jpeg&seed="
    return [request("POST", f"{target}{seed}", photograph.getvalue(), "image/jpeg") for seed in range(SEEDS)]


# What is asked, of which application, and for how many seconds in a round.
CASES = {
    "healthz": (lambda: [request("GET", "/healthz")], "peer", 1.0),
    "score 2 x 256": (lambda: score(2, 256), "peer", 1.0),
    "score 8 x 4,096": (lambda: score(8, 4096), "peer", 2.0),
    "perturb 512 x 384": (perturb, "perturb_peer", 2.5),
}


class Measured:
    """Several runs of one case on one service."""

    def __init__(self, service):
        self.service, self.runs, self.used = service, [], 0

    def run(self, generator, *arguments, **named):
        before = self.service.processor_seconds()
        self.runs.append(generator.run(self.service, *arguments, **named))
        self.used += self.service.processor_seconds() - before
        return self.runs[-1]

    def figures(self, connections):
        seconds = sum(run.seconds for run in self.runs)
        statuses = np.concatenate([run.statuses for run in self.runs])
        steady = [(run.statuses == 200) & ((run.nth > 0) | (connections == 1)) for run in self.runs]
        times = np.concatenate([run.milliseconds[chosen] for run, chosen in zip(self.runs, steady)])
        refused, good = int((statuses == 503).sum()), int((statuses == 200).sum())
        found = {
            "answers": good, "refused": refused, "failed": len(statuses) - good - refused,
            "requests_per_second": good / seconds, "cpu_ms": self.used / max(1, good) * 1e3,
            "client_cpu": sum(run.own_seconds for run in self.runs) / seconds}
        for percentile in PERCENTILES:
            found[f"p{percentile}_ms"] = float(np.percentile(times, percentile)) if len(times) else None
        return found


def interleaved(generator, services, files, connections, rounds, **named):
    """Figures of each service, measured in turn."""
    measured = [Measured(service) for service in services]
    for _ in range(rounds):
        for one in measured:
            rate = named.get("rate")
            one.run(generator, connections, files, **named | ({"rate": rate[one.service.name]} if rate else {}))
    return {one.service.name: one.figures(connections) for one in measured}


COLUMNS = (
    ("req/s", "requests_per_second", "{:.0f}"), ("p50 ms", "p50_ms", "{:.2f}"), ("p99 ms", "p99_ms", "{:.2f}"),
    ("p99.9 ms", "p99.9_ms", "{:.2f}"), ("CPU ms", "cpu_ms", "{:.3f}"), ("client's CPU", "client_cpu", "{:.0%}"),
    ("refused", "refused", "{}"), ("failed", "failed", "{}"))


def show(case, loop, connections, by_service):
    for name, figures in by_service.items():
        cells = [form.format(figures[key]) if figures[key] is not None else "-" for _, key, form in COLUMNS]
        print(f"| {case} | {loop} | {connections} | {name} | " + " | ".join(cells) + " |", flush=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--binary", required=True)
    arguments.add_argument("--rounds", type=int, default=2, help="of each case and number of connections (default 2)")
    arguments.add_argument("--no-peer", action="store_true")
    arguments.add_argument("--cases", nargs="*", default=list(CASES), choices=CASES, help="default: all")
    arguments.add_argument("--json", type=pathlib.Path, help="write the figures here")
    chosen = arguments.parse_args()

    print("| request | loop | connections | service | " + " | ".join(title for title, _, _ in COLUMNS) + " |")
    print("|---" * (4 + len(COLUMNS)) + "|")
    cells = []
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        generator = LoadGenerator(folder)
        here = Service("here", stack.enter_context(server(chosen.binary)))
        applications = {} if chosen.no_peer else {
            name: Service("peer", stack.enter_context(peer(name)))
            for name in sorted({CASES[case][1] for case in chosen.cases})}
        for case in chosen.cases:
            make, application, seconds = CASES[case]
            files = []
            for index, body in enumerate(make()):
                files.append(folder / f"request{index}")
                files[-1].write_bytes(body)
            services = [here] + ([applications[application]] if applications else [])
            for service in services:
                warm = generator.run(service, 8, files, seconds=0.3)
                if set(warm.statuses) != {200}:
                    sys.exit(f"{service.name}: {case}: not every answer is a 200")

            def take(loop, connections, rounds, **named):
                found = interleaved(generator, services, files, connections, rounds, **named)
                cells.extend(
                    {"request": case, "loop": loop, "connections": connections, "service": name} | figures
                    for name, figures in found.items())
                show(case, loop, connections, found)
                return found

            for connections in CONNECTIONS:
                # So many slow requests take long to go round: once must do.
                found = take("closed", connections, chosen.rounds if connections < 512 else 1, seconds=seconds)
                if connections == RATE_CONNECTIONS:
                    half = {name: figures["requests_per_second"] / 2 for name, figures in found.items()}
            take("half rate", RATE_CONNECTIONS, 1, seconds=2 * seconds, rate=half)
            if case in PATIENT:
                with server(chosen.binary, "--queue-limit", "256") as url:
                    services[0] = Service("here", url)
                    take("patient", 512, 1, seconds=3 * seconds, waits=True)
    if chosen.json:
        chosen.json.write_text(json.dumps({"connections": cells}, indent=1))


if __name__ == "__main__":
    main()
