"""How long a compact /v1/score takes: 8 × 4,096 tokens, as safetensors and as JSON, beside a Python peer.

    python Tests/Benchmarks/compact.py --binary .build/release/perception-server [--requests 300] [--no-peer]

One client, one connection each, requests in turn to both services so that both meet the same noise. Times are in
milliseconds: at the client from the first byte sent to the last byte read, and the sum of the reply's Server-Timing.
"""

import argparse
import contextlib
import http.client
import json
import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.parse

import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "Contract"))

import serving
import twin
import wire
import workload

DURATION = re.compile(r"dur=([0-9.]+)")


class Client:
    def __init__(self, url):
        address = urllib.parse.urlsplit(url)
        self.connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, body, media_type):
        """(milliseconds at the client, milliseconds by Server-Timing, reply)."""
        started = time.perf_counter()
        self.connection.request("POST", "/v1/score", body, {"Content-Type": media_type})
        reply = self.connection.getresponse()
        content = reply.read()
        spent = (time.perf_counter() - started) * 1e3
        if reply.status != 200:
            sys.exit(f"{reply.status}: {content[:500]!r}")
        return spent, sum(map(float, DURATION.findall(reply.headers["Server-Timing"]))), content


@contextlib.contextmanager
def peer(port):
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "peer:app", "--port", str(port), "--log-level", "warning"], cwd=HERE)
    try:
        url = f"http://127.0.0.1:{port}"
        serving.wait_until_ready(url)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def loss_of(content, binary):
    return (json.loads(wire.read(content)[1]["result"]) if binary else json.loads(content))["loss"]


def describe(samples):
    ordered = np.sort(np.array(samples), axis=0)
    median, high = np.median(ordered, axis=0), np.quantile(ordered, 0.99, axis=0)
    return f"{median[0]:9.3f} {high[0]:9.3f}   {median[1]:9.3f} {high[1]:9.3f}"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    where = arguments.add_mutually_exclusive_group(required=True)
    where.add_argument("--server", help="base URL of a running server")
    where.add_argument("--binary", help="server binary to start and stop")
    arguments.add_argument("--requests", type=int, default=300, help="of safetensors; of JSON a third (default 300)")
    arguments.add_argument("--no-peer", action="store_true")
    chosen = arguments.parse_args()

    tensors = {k: v.astype(np.float32) for k, v in workload.compact().items()}
    stored = {k: wire.Stored.of(v) for k, v in tensors.items()}
    bodies = {
        "safetensors": (wire.write(stored), wire.MEDIA_TYPE, chosen.requests),
        "json": (json.dumps(wire.rollouts(stored)).encode(), "application/json", max(chosen.requests // 3, 10)),
    }
    expected = twin.score(tensors, {"preset": "cppo-verl"})[1]["loss"]

    with contextlib.ExitStack() as stack:
        services = {"perception-server": chosen.server or stack.enter_context(serving.running(chosen.binary))}
        if not chosen.no_peer:
            services["fastapi + torch"] = stack.enter_context(peer(free_port()))
        print("8 × 4,096 tokens, milliseconds       client               Server-Timing")
        print("                                median       p99      median       p99    request     reply")
        for kind, (body, media_type, count) in bodies.items():
            clients = {name: Client(url) for name, url in services.items()}
            samples = {name: [] for name in services}
            sizes = {}
            for turn in range(count + 20):
                for name, client in clients.items():
                    *spent, content = client.post(body, media_type)
                    if turn == 0:
                        found = loss_of(content, kind == "safetensors")
                        assert abs(found - expected) <= 1e-5 * abs(expected), (name, kind, found, expected)
                        sizes[name] = len(content)
                    if turn >= 20:
                        samples[name].append(spent)
            for name, spent in samples.items():
                print(f"{kind:11} {name:17}{describe(spent)}  {len(body):9,} {sizes[name]:9,}")


if __name__ == "__main__":
    main()
