"""What a trainer waits for, through the Python client: views of Pillow pictures, and losses with their backward pass.

    python Tests/Benchmarks/trainer.py --binary .build/release/perception-server [--rounds 15] [--json FILE]

1. `views()` of eight pictures of 1024 × 768, Pillow images in and out, both CPPO views, from a private server, beside
   the same recipe by Pillow and torchvision in this process: on one thread, as a trainer's loop does it, and on two;
2. `loss()` and its backward pass of 4 × 48 (3 KB) and 8 × 4,096 tokens, beside a service in FastAPI and PyTorch that a
   `requests` session asks with safetensors, its gradients put into the graph the same way.

All are measured in turn, round by round. Of each: medians of the time, and processor time of this process and of the
service's together, which hardly depends on what else the machine does. Both sides draw a new seed each round.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import statistics
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / "Sources/perception-client"))

import requests
import torch
from PIL import Image
from safetensors.torch import load, save

import pillow_views
from perception_client import Perception
from perturb_client import PHOTOGRAPH
from services import Service, peer, server

PICTURES = 8
TYPE = {"Content-Type": "application/x-safetensors"}
VIEWS = ("original", "preserving", "removing")


class Rounds:
    """Times of several ways to do one thing, taken in turn."""

    def __init__(self, ways):
        self.ways = ways
        self.wall = {name: [] for name, _, _ in ways}
        self.used = {name: [] for name, _, _ in ways}

    def run(self, count, repeats=1):
        """`repeats` calls of each way in each round; the first round is not counted."""
        for turn in range(count + 1):
            for name, work, service in self.ways:
                before = time.process_time() + (service.processor_seconds() if service else 0)
                started = time.perf_counter()
                for call in range(repeats):
                    work(turn * repeats + call)
                spent = time.perf_counter() - started
                used = time.process_time() + (service.processor_seconds() if service else 0) - before
                if turn:
                    self.wall[name].append(spent / repeats * 1e3)
                    self.used[name].append(used / repeats * 1e3)
        return self

    def table(self, title):
        """Print milliseconds, and by how much the first way is faster."""
        print(f"\n| {title} | ms | processor ms | times the first's ms | processor |\n|---|---|---|---|---|")
        first, rows = self.ways[0][0], []
        for name, _, _ in self.ways:
            # Ticks of processor time are coarse: their mean counts.
            row = {"name": name, "ms": statistics.median(self.wall[name]), "cpu ms": statistics.mean(self.used[name])}
            rows.append(row)
            ratios = row["ms"] / rows[0]["ms"], row["cpu ms"] / rows[0]["cpu ms"]
            figures = " | ".join(f"{x:.2f}" for x in (row["ms"], row["cpu ms"], *ratios))
            print(f"| {name} | {figures} |", flush=True)
        return {"first": first, "rows": rows}


def pictures():
    base = Image.open(PHOTOGRAPH).convert("RGB").resize((1024, 768), Image.LANCZOS)
    return [base.rotate(3 * turn) for turn in range(PICTURES)]


def torchvision_views(image):
    removing = random.choice((pillow_views.occluded, pillow_views.zoomed))
    return random.choice(pillow_views.PRESERVING)(image), removing(image)


def views(client, service, rounds):
    images = pictures()
    with concurrent.futures.ThreadPoolExecutor(2) as two:
        ways = [
            ("views()", lambda seed: client.views(images, seed=seed), service),
            ("torchvision, one thread", lambda _: [torchvision_views(image) for image in images], None),
            ("torchvision, two threads", lambda _: list(two.map(torchvision_views, images)), None),
        ]
        return Rounds(ways).run(rounds).table(f"{PICTURES} Pillow pictures of 1024 × 768, both views")


def batch(rows, tokens):
    generator = torch.Generator().manual_seed(1)

    def drawn():
        return torch.empty(rows, tokens).exponential_(generator=generator)

    return {
        "log_probs": {view: (-drawn()).requires_grad_() for view in VIEWS},
        "entropy": {view: drawn() for view in ("original", "removing")},
        "advantages": torch.randn(rows, generator=generator),
    }


class PeerLoss(torch.autograd.Function):
    """The peer's gradients in the graph, as the client puts the server's."""

    @staticmethod
    def forward(ctx, value, gradients, *inputs):
        ctx.gradients = gradients
        return torch.tensor(value)

    @staticmethod
    def backward(ctx, output):
        return None, None, *(output * gradient for gradient in ctx.gradients)


def peer_loss(session, url, given):
    tensors = {f"{view}.log_probs": given["log_probs"][view].detach() for view in VIEWS}
    tensors |= {f"{view}.entropy": given["entropy"][view] for view in ("original", "removing")}
    reply = session.post(url + "/v1/score", save(tensors | {"advantages": given["advantages"]}), headers=TYPE)
    reply.raise_for_status()
    length = int.from_bytes(reply.content[:8], "little")
    scalars = json.loads(json.loads(reply.content[8:8 + length])["__metadata__"]["result"])
    found = load(reply.content)
    gradients = [found[f"grad.{view}.log_probs"] for view in VIEWS]
    return PeerLoss.apply(scalars["loss"], gradients, *(given["log_probs"][view] for view in VIEWS))


def losses(client, service, beside, rounds):
    found = []
    with requests.Session() as session:
        for rows, tokens, repeats in ((4, 48, 20), (8, 4096, 5)):
            given = batch(rows, tokens)
            ours, theirs = client.loss(**given), peer_loss(session, beside.url, given)
            assert abs(ours.item() - theirs.item()) <= 1e-5 * abs(ours.item()), (ours, theirs)
            ways = [
                ("loss()", lambda _, given=given: client.loss(**given).backward(), service),
                ("FastAPI, PyTorch", lambda _, given=given: peer_loss(session, beside.url, given).backward(), beside),
            ]
            found.append(Rounds(ways).run(rounds, repeats).table(f"loss of {rows} × {tokens} tokens, and its backward pass"))
    return found


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--binary", required=True)
    arguments.add_argument("--rounds", type=int, default=15)
    arguments.add_argument("--json", type=pathlib.Path)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    with server(options.binary) as url, peer("peer") as peer_url, Perception(url) as client:
        service, beside = Service("server", url), Service("peer", peer_url)
        results = {
            "views": views(client, service, options.rounds),
            "losses": losses(client, service, beside, options.rounds)}
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
