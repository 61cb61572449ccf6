"""Metrics, alert rules and the dashboard against a running server and a real Prometheus."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

from claims import claim, run
from visitors import TOKEN, Client, Traffic

FOLDER = Path(__file__).resolve().parent


def check_rules(work):
    config = (FOLDER / "observability/prometheus.yaml").read_text()
    shutil.copy(FOLDER / "observability/alerts.yaml", work / "alerts.yaml")
    (work / "token").write_text(TOKEN + "\n")
    claim("prometheus.yaml names its token file", "/run/secrets/perception_token" in config)
    (work / "prometheus.yaml").write_text(config.replace("/run/secrets/perception_token", str(work / "token")))
    for what, command in {
        "prometheus.yaml": ("check", "config", work / "prometheus.yaml"),
        "alerts.yaml": ("check", "rules", FOLDER / "observability/alerts.yaml"),
        "alerts.test.yaml": ("test", "rules", FOLDER / "observability/alerts.test.yaml"),
    }.items():
        done = run("promtool", *command)
        claim(f"promtool {command[0]} {what}", done.returncode == 0, done.stdout + done.stderr if done.returncode else "")


@contextlib.contextmanager
def started(command, place):
    with open(place, "w") as log:
        process = subprocess.Popen([str(c) for c in command], stdout=log, stderr=subprocess.STDOUT,
                                   env={k: v for k, v in os.environ.items() if not k.startswith("PERCEPTION_")})
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def until(truth, what, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError):
            found = truth()
            if found:
                return found
        if time.monotonic() > deadline:
            claim(f"{what} within {seconds} s", False)
        time.sleep(0.1)


def check_running(binary, work):
    config = (work / "prometheus.yaml").read_text()
    with started([binary, "serve", "--port", "0", "--host", "0.0.0.0", "--token-file", work / "token", "--log-format",
                  "json"], work / "server.log"):
        port = int(until(lambda: re.search(r"listening on http://0\.0\.0\.0:(\d+)", (work / "server.log").read_text()),
                         "the server listens")[1])
        client = Client(port)
        # The repository's own file but for the address and a shorter interval.
        (work / "scraping.yaml").write_text(
            config.replace("perception:8080", f"127.0.0.1:{port}").replace("interval: 10s", "interval: 500ms"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            own = free.getsockname()[1]
        storage = Path(tempfile.mkdtemp(dir=work))
        with started(["prometheus", "--config.file", work / "scraping.yaml", "--storage.tsdb.path", storage,
                      "--web.listen-address", f"127.0.0.1:{own}"], work / "prometheus.log"):
            def get(path, **parameters):
                url = f"http://127.0.0.1:{own}/api/v1/{path}?" + urllib.parse.urlencode(parameters)
                with urllib.request.urlopen(url, timeout=10) as reply:
                    return json.load(reply)["data"]

            def query(expression):
                return get("query", query=expression)["result"]

            traffic = Traffic(client)
            traffic.start()
            until(lambda: any(r["value"][1] == "1" for r in query('up{job="perception"}')), "Prometheus scrapes the server")
            claim("Prometheus scrapes the server", True, str(get("targets")["activeTargets"][0]["health"]))
            time.sleep(8)
            check_dashboard(query)
            rules = [rule for group in get("rules")["groups"] for rule in group["rules"]]
            claim(f"{len(rules)} alert rules are evaluated without error", rules and all(
                rule["health"] == "ok" for rule in rules), str([r.get("lastError") for r in rules if r["health"] != "ok"]))
            traffic.over.set()
            traffic.join()
            check_text(client)
            time.sleep(1.5)
            check_sums(query, traffic)
        shutil.rmtree(storage)
    check_log(work / "server.log")


def check_text(client):
    status, text = client.ask("/metrics")
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True)
    families = re.findall(rb"^# TYPE (\S+)", text, re.M)
    claim(f"promtool check metrics: {len(families)} families", status == 200 and done.returncode == 0
          and not done.stdout and not done.stderr, (done.stdout + done.stderr).decode())


def check_dashboard(query):
    board = json.loads((FOLDER / "observability/grafana/perception-server.json").read_text())
    panels = board["panels"]
    claim("the dashboard's panels have ids of their own", len({p["id"] for p in panels}) == len(panels))
    cells = [(x, y) for p in panels for x in range(p["gridPos"]["x"], p["gridPos"]["x"] + p["gridPos"]["w"])
             for y in range(p["gridPos"]["y"], p["gridPos"]["y"] + p["gridPos"]["h"])]
    claim("no panel lies on another or beside the grid", len(set(cells)) == len(cells) and max(cells)[0] < 24)
    variables = {"instance": ".*", "run": ".*", "preset": ".*", "window": "10s", "__rate_interval": "10s"}
    declared = {v["name"] for v in board["templating"]["list"]} | {"__rate_interval"}
    for panel in panels:
        for target in panel.get("targets", []):
            used = set(re.findall(r"\$(\w+)", target["expr"]))
            claim(f"variables of {panel['title']} are declared", used <= declared) if not used <= declared else None
            expression = re.sub(r"\$(\w+)", lambda m: variables[m[1]], target["expr"])
            found = [float(r["value"][1]) for r in query(expression)]
            numbers = [f for f in found if f == f]
            claim(f"{panel['title']} ({target['refId']}): {len(found)} series", numbers,
                  f"such as {numbers[0]:.6g}" if numbers else f"no data: {expression}")


def check_sums(query, traffic):
    """What PromQL says of a run is what its replies said."""
    def value(expression):
        found = query(expression)
        return float(found[0]["value"][1]) if found else float("nan")

    def signed(name, run_name):
        both = [value(f'sum(perception_{name}_total{{run="{run_name}",sign="{sign}"}})') for sign in ("positive", "negative")]
        return both[0] - both[1]

    def near(a, b):
        return abs(a - b) <= 1e-6 * max(1, abs(b))

    for run_name, sums in traffic.sums.items():
        def counted(name):
            return value(f'sum(perception_{name}_total{{run="{run_name}"}})')

        pairs = {
            "response tokens": (counted("response_tokens"), sums["tokens"]),
            "loss tokens": (counted("loss_tokens"), sums["gated"]),
            "mean delta entropy": (signed("delta_entropy_nats", run_name) / counted("compared_tokens"),
                                   sums["delta"] / sums["tokens"]),
            "mean contrast": (signed("contrast_nats", run_name) / counted("loss_tokens"), sums["contrast"] / sums["gated"]),
            "CPL": (signed("loss_numerator", run_name) / counted("loss_denominator"),
                    sums["numerator"] / sums["denominator"]),
        }
        for what, (found, expected) in pairs.items():
            claim(f"{run_name}: {what} by PromQL is what {traffic.rounds} rounds of replies said", near(found, expected),
                  f"{found:.9g}")


def check_log(path):
    announced, *lines = path.read_text().splitlines()
    records = [json.loads(line) for line in lines]
    requests = [r for r in records if r["message"] == "request"]
    claim(f"{len(requests)} access lines, each one JSON object", requests and all(
        isinstance(r["status"], int) and isinstance(r["duration_ms"], (int, float)) and r["ending"] for r in requests))
    claim("no body, token or query is in the log", not re.search(TOKEN + "|log_probs|seed=7", path.read_text()))
    claim("requests name their run", any(r.get("run") == "validate-a" for r in requests))
    print("    ", json.dumps(next(r for r in requests if r.get("run") == "validate-b")))
