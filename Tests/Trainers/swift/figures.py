"""What the perception loss costs in ms-swift: python figures.py, with PERCEPTION_SERVER_BINARY.

Prints, for the tiny model with pictures of 640 × 480: seconds of a step, of requests and of waiting for views, with and
without making them during generation; the bytes that autograd keeps at most, direct against grad_cache; and how far
gradients are from those of the loss in the process.
"""

import pathlib
import sys
import tempfile
import time
from statistics import median

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
import conftest  # finds the shared modules

# isort: split
import serving
import torch
import training
from plain import PlainGRPO

import tiny_model
from perception_client import Perception
from perception_client.trainers.swift.trainer import PerceptionGRPOTrainer

STEPS = 6
VIEWS = "perception/views"


class Kept:
    """Bytes that autograd keeps for backward passes, each storage once."""

    def __init__(self):
        self.count, self.now, self.most = {}, 0, 0

    def pack(self, tensor):
        storage = tensor.untyped_storage()
        key = storage.data_ptr()
        if key not in self.count:
            self.count[key] = 0
            self.now += storage.nbytes()
            self.most = max(self.most, self.now)
        self.count[key] += 1
        return _Held(self, tensor, key, storage.nbytes())


class _Held:
    def __init__(self, kept, tensor, key, size):
        self.kept, self.tensor, self.key, self.size = kept, tensor, key, size

    def __del__(self):
        count = self.kept.count
        count[self.key] -= 1
        if not count[self.key]:
            del count[self.key]
            self.kept.now -= self.size


def data(folder):
    training.prepare(folder)
    for file, picture in zip(sorted(folder.glob("*.png")), tiny_model.pictures(8), strict=True):
        picture.resize((640, 480)).save(file)
    return folder


def timed(folder, url, name, **settings):
    spent = []
    own = Perception.send

    def send(self, call):
        begin = time.perf_counter()
        try:
            return own(self, call)
        finally:
            spent.append((call.path.partition("?")[0], time.perf_counter() - begin))

    Perception.send = send
    try:
        run = training.train(folder, folder / name, settings=settings | {"url": url}, max_steps=STEPS)
    finally:
        Perception.send = own
    step, made, waited = (median(run.curve(c)) * 1e3 for c in ("step_time", f"{VIEWS}_seconds", f"{VIEWS}_waited_seconds"))
    score, perturb = (median([s for path, s in spent if path.endswith(end)]) * 1e3 for end in ("score", "perturb"))
    server = median(run.curve("perception/server_ms"))
    print(f"{name}: step {step:.0f} ms; views made in {made:.1f} ms, {perturb:.1f} of them /v1/perturb, waited for {waited:.2f} ms; "
          f"/v1/score {score:.2f} ms for each of 2 micro-batches, {server:.2f} of them in the server")  # fmt: skip


def memory(folder, url, mode):
    kept = Kept()
    with torch.autograd.graph.saved_tensors_hooks(kept.pack, lambda held: held.tensor):
        training.train(folder, folder / mode, settings={"url": url, "mode": mode}, max_steps=1, gradient_checkpointing="false")
    print(f"{mode}: autograd keeps at most {kept.most / 1e6:.1f} MB")


def gradients(folder, url, preset):
    settings = {"coefficient": 1.0, "preset": preset}
    found = training.train(folder, folder / "found", settings=settings | {"url": url})
    with Perception(url) as client:
        plain = training.train(folder, folder / "plain", settings=settings, client=client, trainer=PlainGRPO)
    print(f"{preset}: gradients apart by {training.apart(found, plain):.1e} of their norm, parameters after three steps by "
          f"{training.farthest(found, plain):.1e}")  # fmt: skip


def main():
    with serving.running(conftest.binary()) as url, tempfile.TemporaryDirectory() as name:
        folder = data(pathlib.Path(name))
        timed(folder, url, "views during generation")
        ours = PerceptionGRPOTrainer._generate_completions
        PerceptionGRPOTrainer._generate_completions = training.own_trainer()._generate_completions
        timed(folder, url, "views after generation")
        PerceptionGRPOTrainer._generate_completions = ours
        for mode in ("direct", "grad_cache"):
            memory(folder, url, mode)
        small = training.prepare(folder / "small")
        for preset in ("cppo-verl", "papo-g"):
            gradients(small, url, preset)


if __name__ == "__main__":
    main()
