"""What pictures cost besides time on the clock: processor time, memory, and what others wait for them."""

import json
import multiprocessing
import os
import pathlib
import re
import time

from perturb_client import MIXED, both_views, connected, photograph, post
from perturb_rates import FORMS, served


def server_process():
    """The one child that was started last: the server, unless a peer is up too."""
    children = pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return int(children[-1])


def spent(process_id):
    """CPU milliseconds of a process so far."""
    fields = pathlib.Path(f"/proc/{process_id}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def cpu(address, process_id, jpeg, count=64):
    """CPU milliseconds for both views of a picture, of the server and of a loader: what others do on the machine matters
    less to them than to the time on the clock."""
    from pillow_views import views
    results = {}
    for form in FORMS:
        connection = connected(address)
        post(connection, "/v1/perturb", both_views(jpeg, 16, form), MIXED)
        before = spent(process_id)
        for seed in range(count // 16):
            post(connection, "/v1/perturb", both_views(jpeg, 16, form, seed), MIXED)
        ours = (spent(process_id) - before) / count
        views(jpeg, form)
        started = time.process_time()
        for _ in range(count):
            views(jpeg, form)
        theirs = (time.process_time() - started) * 1e3 / count
        results[form] = {"server": ours, "Pillow + torchvision": theirs, "times": theirs / ours}
        print(f"{form:5} CPU ms an image: server {ours:.1f}, loader {theirs:.1f}, times {theirs / ours:.1f}", flush=True)
    return results


def resident(process_id):
    text = pathlib.Path(f"/proc/{process_id}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024


def memory(address, process_id, count=1000):
    """Resident MiB after each hundred pictures."""
    jpeg = photograph((1000, 1000))
    body = both_views(jpeg, 1, "png")
    curve = []
    for done in range(count):
        connection = connected(address)
        post(connection, "/v1/perturb", body, MIXED)
        connection.close()
        if done % 100 == 99:
            curve.append(round(resident(process_id), 1))
    print("resident MiB after each hundred pictures:", curve)
    return curve


def scores(address, count):
    """Milliseconds of `count` compact scores, sorted."""
    tokens = 256
    row = lambda scale: [round(-((i * 37) % 101) * scale, 4) for i in range(tokens)]  # noqa: E731
    rollout = {
        "id": "r", "advantage": 0.7, "original": {"log_probs": row(0.01), "entropy": [abs(v) for v in row(0.02)]},
        "preserving": {"log_probs": row(0.011)},
        "removing": {"log_probs": row(0.02), "entropy": [abs(v) for v in row(0.03)]}}
    body = json.dumps({"rollouts": [rollout]}).encode()
    connection = connected(address)
    times = []
    for _ in range(count):
        started = time.perf_counter()
        post(connection, "/v1/score", body, {"Content-Type": "application/json"})
        times.append((time.perf_counter() - started) * 1e3)
        time.sleep(0.005)
    return sorted(times)


def fairness(address, jpeg, count=400):
    idle = scores(address, count)
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    batch = context.Process(target=served, args=(address, jpeg, "png", 256, 1, queue))
    batch.start()
    time.sleep(1)
    busy = scores(address, count)
    queue.get()
    batch.join()
    at = count * 99 // 100
    result = {"idle p50": idle[count // 2], "idle p99": idle[at], "busy p50": busy[count // 2], "busy p99": busy[at]}
    print("score, ms:", {name: round(value, 2) for name, value in result.items()})
    return result
