"""How fast views are made: the server beside Pillow and torchvision, in one run.

    python Tests/Benchmarks/perturb.py --binary .build/release/perception-server [--seconds 6] [--json out.json] [--no-peer]

1. a JPEG of 1024 × 768 to both CPPO views as PNG (level 1), JPEG (95, 4:4:4) and raw samples: images a second of the
   server with one and two connections, batches of 16, against Pillow + torchvision in two worker processes;
2. the same one image a request, two connections, against a FastAPI service that does it with Pillow and torchvision;
3. each step alone in nanoseconds a pixel, by the server's own clock, against Pillow's or torchvision's function;
4. CPU time for both views of a picture, of the server and of a loader;
5. resident memory over 1,000 pictures of a megapixel, one connection after another;
6. the 99th percentile of a compact /v1/score, idle and beside a batch of 256 pictures.
"""

import argparse
import contextlib
import http.client
import io
import json
import multiprocessing
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import urllib.parse

from PIL import Image

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "Contract"))

import serving  # noqa: E402

PHOTOGRAPH = HERE.parent / "Fixtures" / "photograph.jpg"
FORMS = ("png", "jpeg", "raw")
COMPUTE = re.compile(r"compute;dur=([0-9.]+)")


def photograph(size):
    out = io.BytesIO()
    Image.open(PHOTOGRAPH).convert("RGB").resize(size, Image.LANCZOS).save(out, "JPEG", quality=92)
    return out.getvalue()


def form_body(jpeg, count, form, seed=0):
    views = [{"name": name, "recipe": f"cppo-{name}", "seed": seed} for name in ("preserving", "removing")]
    request = json.dumps({"views": views, "format": form})
    head = '--edge\r\nContent-Disposition: form-data; name="{}"\r\nContent-Type: {}\r\n\r\n'
    parts = [head.format("request", "application/json").encode() + request.encode()]
    parts += [head.format("images", "image/jpeg").encode() + jpeg] * count
    return b"\r\n".join(parts) + b"\r\n--edge--\r\n"


def post(connection, target, body, headers):
    """(reply, bytes read); the body is read into one buffer and thrown away."""
    connection.request("POST", target, body, headers)
    reply = connection.getresponse()
    if reply.status != 200:
        sys.exit(f"{reply.status}: {reply.read(500)!r}")
    buffer, total = bytearray(1 << 20), 0
    while count := reply.readinto(buffer):
        total += count
    return reply, total


def served(address, jpeg, form, batch, seconds, queue):
    """Posts until the time is up, another seed each time; puts how many pictures a second."""
    connection = http.client.HTTPConnection(*address, timeout=120)
    headers = {"Content-Type": "multipart/form-data; boundary=edge", "Accept": "multipart/mixed"}
    post(connection, "/v1/perturb", form_body(jpeg, batch, form), headers)
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        post(connection, "/v1/perturb", form_body(jpeg, batch, form, done), headers)
        done += batch
    queue.put(done / (time.perf_counter() - started))


def asked_peer(address, jpeg, form, _, seconds, queue):
    connection = http.client.HTTPConnection(*address, timeout=120)
    headers = {"Content-Type": "image/jpeg"}
    post(connection, f"/v1/perturb?format={form}", jpeg, headers)
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        post(connection, f"/v1/perturb?format={form}", jpeg, headers)
        done += 1
    queue.put(done / (time.perf_counter() - started))


def loaded(_, jpeg, form, __, seconds, queue):
    """A data loader's worker."""
    from pillow_views import views
    views(jpeg, form)
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        views(jpeg, form)
        done += 1
    queue.put(done / (time.perf_counter() - started))


def rate(work, processes, *arguments):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    workers = [context.Process(target=work, args=(*arguments, queue)) for _ in range(processes)]
    for worker in workers:
        worker.start()
    total = sum(queue.get() for _ in workers)
    for worker in workers:
        worker.join()
    return total


@contextlib.contextmanager
def peer(port):
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "perturb_peer:app", "--port", str(port), "--workers", "2",
         "--log-level", "warning"], cwd=HERE)
    try:
        # Importing torch twice takes its time.
        serving.START_SECONDS = 120
        serving.wait_until_ready(f"http://127.0.0.1:{port}")
        yield ("127.0.0.1", port)
    finally:
        process.terminate()
        process.wait(20)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


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
    headers = {"Content-Type": "multipart/form-data; boundary=edge", "Accept": "multipart/mixed"}
    results = {}
    for form in FORMS:
        connection = http.client.HTTPConnection(*address, timeout=120)
        post(connection, "/v1/perturb", form_body(jpeg, 16, form), headers)
        before = spent(process_id)
        for seed in range(count // 16):
            post(connection, "/v1/perturb", form_body(jpeg, 16, form, seed), headers)
        ours = (spent(process_id) - before) / count
        views(jpeg, form)
        started = time.process_time()
        for _ in range(count):
            views(jpeg, form)
        theirs = (time.process_time() - started) * 1e3 / count
        results[form] = {"server": ours, "Pillow + torchvision": theirs, "times": theirs / ours}
        print(f"{form:5} CPU ms an image: server {ours:.1f}, loader {theirs:.1f}, times {theirs / ours:.1f}", flush=True)
    return results


def throughput(address, jpeg, seconds, peer_address):
    results = {}
    for form in FORMS:
        row = {
            "server, 1 connection": rate(served, 1, address, jpeg, form, 16, seconds),
            "server, 2 connections": rate(served, 2, address, jpeg, form, 16, seconds)}
        if peer_address:
            row["Pillow + torchvision, 2 processes"] = rate(loaded, 2, None, jpeg, form, 1, seconds)
            row["server, an image a request"] = rate(served, 2, address, jpeg, form, 1, seconds)
            row["FastAPI, an image a request"] = rate(asked_peer, 2, peer_address, jpeg, form, 1, seconds)
            best = max(row["server, 1 connection"], row["server, 2 connections"])
            row["times the loader"] = best / row["Pillow + torchvision, 2 processes"]
            row["times FastAPI"] = row["server, an image a request"] / row["FastAPI, an image a request"]
        results[form] = row
        for name, value in row.items():
            print(f"{form:5} {name:36} {value:8.1f}")
    return results


def compute(connection, jpeg, steps):
    """Milliseconds of the server's own clock for these steps."""
    query = urllib.parse.urlencode({"steps": json.dumps(steps), "format": "raw"})
    reply, _ = post(connection, f"/v1/perturb?{query}", jpeg, {"Content-Type": "image/jpeg"})
    return float(COMPUTE.search(reply.headers["Server-Timing"])[1])


def steps(address, jpeg, repeats=8, runs=9):
    """Each step several times in a row, to stand out from decoding; the smallest of several runs, in turn with Pillow."""
    import perturb_steps
    connection = http.client.HTTPConnection(*address, timeout=120)
    connection.request("GET", "/v1/recipes")
    known = {step["step"] for step in json.loads(connection.getresponse().read())["steps"]}
    image = Image.open(io.BytesIO(jpeg)).convert("RGB")
    pixels = image.width * image.height
    results = []
    for name, parameters, reference in perturb_steps.STEPS:
        if name not in known:
            continue
        step = {"step": name} | parameters
        ours, theirs = [], []
        # Long lists of patches make long query strings.
        count = 2 if name == "occlusion" else repeats
        for _ in range(runs):
            empty = compute(connection, jpeg, [])
            ours.append((compute(connection, jpeg, [step] * count) - empty) / count)
            started = time.perf_counter()
            reference(image)
            theirs.append((time.perf_counter() - started) * 1e3)
        row = {
            "step": name, "parameters": {k: v for k, v in parameters.items() if not isinstance(v, list)},
            "ns a pixel": max(min(ours), 0) * 1e6 / pixels, "Pillow's": min(theirs) * 1e6 / pixels}
        row["ratio"] = row["ns a pixel"] / row["Pillow's"]
        results.append(row)
        figures = "".join(f"{row[key]:9.2f}" for key in ("ns a pixel", "Pillow's", "ratio"))
        print(f"{name:16}{figures} {row['parameters']}", flush=True)
    return results


def resident(process_id):
    text = pathlib.Path(f"/proc/{process_id}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024


def memory(address, process_id, count=1000):
    """Resident MiB after each hundred pictures."""
    jpeg = photograph((1000, 1000))
    body = form_body(jpeg, 1, "png")
    headers = {"Content-Type": "multipart/form-data; boundary=edge", "Accept": "multipart/mixed"}
    curve = []
    for done in range(count):
        connection = http.client.HTTPConnection(*address, timeout=120)
        post(connection, "/v1/perturb", body, headers)
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
    connection = http.client.HTTPConnection(*address, timeout=120)
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


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--binary", required=True)
    arguments.add_argument("--seconds", type=float, default=6)
    arguments.add_argument("--json", type=pathlib.Path)
    arguments.add_argument("--no-peer", action="store_true")
    options = arguments.parse_args()
    jpeg = photograph((1024, 768))
    results = {}
    with serving.running(options.binary) as url:
        process_id = server_process()
        parsed = urllib.parse.urlsplit(url)
        address = (parsed.hostname, parsed.port)
        results["memory"] = memory(address, process_id)
        if not options.no_peer:
            results["steps"] = steps(address, jpeg)
            results["cpu"] = cpu(address, process_id, jpeg)
        results["fairness"] = fairness(address, jpeg)
        with contextlib.ExitStack() as stack:
            peer_address = None if options.no_peer else stack.enter_context(peer(free_port()))
            results["throughput"] = throughput(address, jpeg, options.seconds, peer_address)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
