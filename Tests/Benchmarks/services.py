"""What is compared: the server and its peer in FastAPI, each as somebody who knows it would run it, and what loads them."""

import contextlib
import os
import pathlib
import socket
import subprocess
import sys
import urllib.parse

import numpy as np

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "Contract"))

import serving  # noqa: E402

TICK = 1 / os.sysconf("SC_CLK_TCK")


class Service:
    def __init__(self, name, url):
        self.name, self.url = name, url
        self.port = urllib.parse.urlsplit(url).port

    def processor_seconds(self):
        """Of the processes that listen, user and system."""
        found = 0
        for process in self.processes():
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


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def peer_command(application, port, workers=os.cpu_count()):
    """Uvicorn at its fastest: uvloop, httptools, no line for each request, a process for each core. Its standard 5 s of
    keep-alive and 5 s for a sign of life also run while it is busy with a large body: it would break connections."""
    return [
        sys.executable, "-m", "uvicorn", f"{application}:app", "--port", str(port), "--log-level", "warning",
        "--no-access-log", "--loop", "uvloop", "--http", "httptools", "--timeout-keep-alive", "75",
        "--timeout-worker-healthcheck", "120", "--workers", str(workers)]


def peer_environment(workers=os.cpu_count()):
    # As many processes as cores, each with one thread of torch: more of either is slower.
    return os.environ | {"OMP_NUM_THREADS": str(max(1, os.cpu_count() // workers))}


@contextlib.contextmanager
def peer(application, workers=os.cpu_count()):
    """Base URL of the peer, ready."""
    port = free_port()
    process = subprocess.Popen(peer_command(application, port, workers), cwd=HERE, env=peer_environment(workers))
    try:
        url = f"http://127.0.0.1:{port}"
        # Importing torch takes its time, once for each process.
        serving.START_SECONDS = 120
        serving.wait_until_ready(url)
        yield url
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def server(binary, *arguments):
    """Base URL of the server, ready; like the peer without a line for each request."""
    with serving.running(binary, "--log-level", "notice", *arguments) as url:
        yield url


class Run:
    """What one run of the load generator saw."""

    def __init__(self, text):
        head, _, rest = text.partition("\n")
        self.seconds, self.own_seconds = (float(number) for number in head.split())
        lines = np.array(rest.split(), np.float64).reshape(-1, 3)
        self.statuses, self.milliseconds, self.nth = lines[:, 0].astype(int), lines[:, 1], lines[:, 2]


class LoadGenerator:
    """load.c, compiled by the system's compiler: its options are described there."""

    def __init__(self, folder):
        self.program = str(pathlib.Path(folder) / "load")
        subprocess.run(
            [os.environ.get("CC", "cc"), "-D_GNU_SOURCE", "-O2", "-o", self.program, HERE / "load.c"], check=True)

    def run(self, service, connections, files, requests=None, seconds=None, rate=None, waits=False):
        options = [] if requests is None else ["-n", str(requests)]
        options += [] if seconds is None else ["-s", str(seconds)]
        options += [] if rate is None else ["-r", str(rate)]
        options += ["-w"] if waits else []
        done = subprocess.run(
            [self.program, *options, str(service.port), str(connections), *map(str, files)], capture_output=True,
            text=True)
        if done.returncode != 0:
            sys.exit(f"{service.name}: {done.stderr}")
        return Run(done.stdout)


def request(method, target, body=b"", media_type=None):
    """A request as it goes over the wire."""
    head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n"
    if media_type:
        head += f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body
