"""PyTorch in-process: divergences over the vocabulary under three views and their gradients, in bytes read a second.

    python Tests/Benchmarks/torch_divergence.py [--json FILE]

What a trainer writes: log_softmax of each view widened to float32, kl_div with log_target (Jensen-Shannon from logaddexp),
softplus of the margin over 0.1, backward. The same rows at once or in chunks of one token; 1 and 2 threads, forms in turn;
medians, and the best round, of the bytes of the logits that were read. Beside it: kernel-benchmark.
"""

import argparse
import json
import math
import pathlib
import statistics
import time

import torch

VOCABULARY = 151_936


def kullback_leibler(anchor, reference):
    return torch.nn.functional.kl_div(reference, anchor, log_target=True, reduction="none").sum(-1)


def jensen_shannon(anchor, reference):
    mean = torch.logaddexp(anchor, reference) - math.log(2)
    return (kullback_leibler(anchor, mean) + kullback_leibler(reference, mean)) / 2


def score(divergence, views, with_gradients):
    leaves = [view.detach().requires_grad_(with_gradients) for view in views]
    with torch.set_grad_enabled(with_gradients):
        a, p, n = (torch.log_softmax(leaf.float(), dim=-1) for leaf in leaves)
        loss = torch.nn.functional.softplus((divergence(a, p) - divergence(a, n)) / 0.1).sum()
        return torch.autograd.grad(loss, leaves) if with_gradients else loss


def forms(tokens):
    for divergence in (kullback_leibler, jensen_shannon):
        for with_gradients in (False, True):
            name = divergence.__name__.replace("_", "-") + ("-gradient" if with_gradients else "")
            for size in (1, tokens):
                yield f"{name}, chunks of {size}", divergence, with_gradients, size


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--tokens", type=int, default=16)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--json", help="file for the figures")
    chosen = arguments.parse_args()
    figures = []
    generator = torch.Generator().manual_seed(0)
    base = [torch.randn(chosen.tokens, VOCABULARY, generator=generator) * 3 for _ in range(3)]
    for name, dtype in (("F32", torch.float32), ("BF16", torch.bfloat16)):
        views = [view.to(dtype) for view in base]
        size = sum(view.numel() * view.element_size() for view in views)
        for threads in (1, 2):
            torch.set_num_threads(threads)
            times = {}
            for _ in range(chosen.rounds):
                for form, divergence, with_gradients, chunk in forms(chosen.tokens):
                    started = time.perf_counter()
                    for start in range(0, chosen.tokens, chunk):
                        score(divergence, [view[start : start + chunk] for view in views], with_gradients)
                    times.setdefault(form, []).append(time.perf_counter() - started)
            for form, seconds in times.items():
                rate, best = size / statistics.median(seconds) / 1e9, size / min(seconds) / 1e9
                figures.append(
                    {"type": name, "threads": threads, "form": form, "gigabytes_per_second": rate, "best": best})
                print(f"{name:5} {threads} threads  {form:42} {rate:6.3f} GB/s, best {best:6.3f}")
    if chosen.json:
        pathlib.Path(chosen.json).write_text(json.dumps({"torch": figures}, indent=1))


if __name__ == "__main__":
    main()
