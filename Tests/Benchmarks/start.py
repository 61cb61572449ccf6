"""Time from exec to the first 200 of /readyz, and memory of a server that has nothing to do, beside the peer in FastAPI.

    python Tests/Benchmarks/start.py --binary .build/release/perception-server [--starts 25] [--no-peer] [--json FILE]

The clock starts before the process is made and stops when /readyz has been answered with 200; it is asked every half
millisecond. Memory is read a second after that: RSS as the kernel counts it, and PSS, which shares pages of libraries
between the processes that map them; both summed over the peer's processes. The first start of each is not counted, so
files come from the page cache. The peer takes seconds to import torch and is started fewer times.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

import numpy as np

from services import HERE, free_port, peer_command, peer_environment

MOST_SECONDS = 120
BARS = {"ready_ms": 100, "rss_mib": 32}


def is_ready(port):
    with contextlib.suppress(OSError), socket.socket() as client:
        client.settimeout(2)
        client.connect(("127.0.0.1", port))
        client.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return client.recv(64).startswith(b"HTTP/1.1 200")
    return False


def family(process):
    """A process and all that descend from it."""
    found = [process]
    for one in found:
        for task in pathlib.Path(f"/proc/{one}/task").glob("*"):
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def memory(process):
    """MiB of RSS and PSS."""
    totals = {"Rss": 0, "Pss": 0}
    for one in family(process):
        text = pathlib.Path(f"/proc/{one}/smaps_rollup").read_text()
        for kind in totals:
            totals[kind] += int(re.search(rf"^{kind}:\s+(\d+)", text, re.M)[1]) / 1024
    return totals["Rss"], totals["Pss"]


def start(command, **named):
    """Milliseconds until ready, MiB of RSS and PSS."""
    port = free_port()
    begun = time.perf_counter()
    process = subprocess.Popen(command(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **named)
    try:
        while not is_ready(port):
            if process.poll() is not None or time.perf_counter() - begun > MOST_SECONDS:
                sys.exit(f"{command(port)[0]} never became ready")
            time.sleep(0.0005)
        took = (time.perf_counter() - begun) * 1e3
        time.sleep(1)
        return took, *memory(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def figures(starts, command, **named):
    rows = np.array([start(command, **named) for _ in range(starts + 1)][1:])
    return {
        "starts": starts, "ready_ms": float(np.median(rows[:, 0])), "slowest_ms": float(rows[:, 0].max()),
        "rss_mib": float(np.median(rows[:, 1])), "pss_mib": float(np.median(rows[:, 2]))}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--binary", required=True)
    arguments.add_argument("--starts", type=int, default=25)
    arguments.add_argument("--peer-starts", type=int, default=3)
    arguments.add_argument("--no-peer", action="store_true")
    arguments.add_argument("--json", type=pathlib.Path, help="write the figures here")
    chosen = arguments.parse_args()

    environment = {k: v for k, v in os.environ.items() if not k.startswith("PERCEPTION_")}
    found = {"here": figures(chosen.starts, lambda port: [chosen.binary, "serve", "--port", str(port)], env=environment)}
    if not chosen.no_peer:
        found["peer"] = figures(
            chosen.peer_starts, lambda port: peer_command("peer", port), env=peer_environment(), cwd=HERE)
    print("| service | starts | ready, median ms | slowest ms | RSS MiB | PSS MiB |\n|---|---|---|---|---|---|")
    for name, row in found.items():
        print(f"| {name} | {row['starts']} | " + " | ".join(f"{value:.1f}" for value in list(row.values())[1:]) + " |")
    for key, bar in BARS.items():
        print(f"{key}: {'below' if found['here'][key] < bar else 'ABOVE'} the bar of {bar}")
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
