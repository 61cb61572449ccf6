"""What a torch trainer waits for, medians in one run; for an idle machine. Not a test.

PERCEPTION_SERVER_BINARY=… python Tests/PerceptionClient/autograd/figures.py
"""

import os
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1])]

import importlib.util

import torch

spec = importlib.util.spec_from_file_location("core_figures", pathlib.Path(__file__).resolve().parents[1] / "figures.py")
core = importlib.util.module_from_spec(spec)
spec.loader.exec_module(core)

import serving
from test_from_logits import peak, usual

from perception_client import Perception, token_statistics


def losses(url):
    client = Perception(url)
    for rows, tokens, rounds in ((4, 48, 500), (8, 1024, 200), (8, 4096, 100), (64, 4096, 20)):
        given = core.batch(rows, tokens)
        log_probs = {v: torch.tensor(x).requires_grad_() for v, x in given.pop("log_probs").items()}
        rest = {k: {v: torch.tensor(y) for v, y in x.items()} if isinstance(x, dict) else torch.tensor(x) for k, x in given.items()}

        def step(log_probs=log_probs, rest=rest):
            client.loss(log_probs, **rest).backward()

        print(f"loss() and backward of {rows} × {tokens}: {core.median(step, rounds):.2f} ms, server {client.last.server_ms:.2f} ms")


def memory():
    rows, vocabulary = 1024, 151_936
    logits = torch.randn(rows, vocabulary, dtype=torch.bfloat16).requires_grad_()
    ids = torch.randint(0, vocabulary, (rows,))
    gradient = logits.numel() * 2

    def ours():
        token_statistics(logits, ids)[0].sum().backward()

    def theirs():
        usual(logits.float(), ids)[0].sum().backward()

    for name, function in (("token_statistics", ours), ("log_softmax and gather", theirs)):
        logits.grad = None
        spent = core.median(function, 1, 0)
        logits.grad = None
        held = (peak(function) - gradient) / 1e6
        print(f"{name} of BF16 [{rows}, {vocabulary}]: {held:.0f} MB beside logits and gradient, {spent / 1e3:.1f} s")


if __name__ == "__main__":
    torch.set_num_threads(2)
    with serving.running(os.environ["PERCEPTION_SERVER_BINARY"]) as address:
        losses(address)
    memory()
