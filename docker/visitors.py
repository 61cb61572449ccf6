"""A client of the server, and requests of every kind that it sends until told to stop."""

import contextlib
import http.client
import json
import random
import threading
import time

from claims import claim
from material import picture

TOKEN = "a-token-for-validation-only"


class Client:
    def __init__(self, port):
        self.port = port

    def ask(self, path, body=None, kind="application/json", run=None, token=TOKEN):
        headers = {"Authorization": f"Bearer {token}", **({"Perception-Run": run} if run else {})}
        if body is not None:
            headers["Content-Type"] = kind
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET" if body is None else "POST", path, body, headers)
            reply = connection.getresponse()
            return reply.status, reply.read()


def rollouts(seed, count, length, preset):
    chance = random.Random(seed)
    return json.dumps({"options": {"preset": preset, "return": ["mask"]}, "rollouts": [{
        "id": f"r{i}", "advantage": chance.choice([-1, 1]),
        "original": {"log_probs": [-chance.random() for _ in range(length)],
                     "entropy": [chance.random() for _ in range(length)]},
        "preserving": {"log_probs": [-chance.random() for _ in range(length)]},
        "removing": {"log_probs": [-12 * chance.random() for _ in range(length)],
                     "entropy": [1.2 * chance.random() for _ in range(length)]},
    } for i in range(count)]})


class Traffic(threading.Thread):
    """Requests of every kind until told to stop, and what their replies said."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client, self.over, self.sums, self.rounds = client, threading.Event(), {}, 0
        self.images = picture()

    def run(self):
        while not self.over.is_set():
            for run_name, preset, length in (("validate-a", "cppo-verl", 40), ("validate-a", "cppo-verl", 7),
                                             ("validate-b", "cppo-areal", 400)):
                status, body = self.client.ask(
                    "/v1/score", rollouts(self.rounds, 4, length, preset), run=run_name)
                claim("a score", status == 200, body.decode()) if status != 200 else None
                self.note(run_name, json.loads(body))
            self.client.ask("/v1/perturb?recipe=cppo-removing&seed=7", self.images, "image/png")
            self.client.ask("/v1/perturb?recipe=cppo-removing&seed=7", b"no picture", "image/png")
            self.client.ask("/v1/score", "{")
            self.client.ask("/v1/nothing")
            self.client.ask("/v1/info", token="wrong")
            self.rounds += 1
            time.sleep(0.05)

    def note(self, run_name, reply):
        found, sums = reply["diagnostics"], self.sums.setdefault(run_name, dict.fromkeys(
            ("tokens", "gated", "delta", "contrast", "numerator", "denominator"), 0))
        sums["tokens"] += found["tokens"]
        sums["gated"] += found["gated"]
        sums["delta"] += (found["mean_delta_entropy"] or 0) * found["tokens"]
        sums["contrast"] += (found["mean_contrast"] or 0) * found["gated"]
        sums["numerator"] += reply["loss_numerator"]
        sums["denominator"] += reply["loss_denominator"]
