"""PyTorch in-process: entropy and log-sum-exp of a row of logits the way trainers write it, in bytes read a second.

    python Tests/Benchmarks/torch_entropy.py [--json FILE]

The expression is logsumexp(z) − Σ softmax(z)·z over the vocabulary, as verl's loss code has it: on all rows at once in the
tensor's own type, on chunks of rows widened to float32, and through torch.compile where a C++ compiler is there. Every form
runs on 1 and 2 threads, forms in turn, medians of the rounds.
"""

import argparse
import json
import pathlib
import statistics
import time

import torch

VOCABULARY = 151_936


def entropy(rows):
    log_sum = torch.logsumexp(rows, dim=-1)
    return log_sum - torch.sum(torch.softmax(rows, dim=-1) * rows, dim=-1), log_sum


def chunked(size, function=entropy):
    def run(rows):
        parts = [function(rows[start : start + size].float()) for start in range(0, len(rows), size)]
        return torch.cat([part[0] for part in parts]), torch.cat([part[1] for part in parts])

    return run


def forms():
    yield "whole", entropy
    for size in (1, 4, 16, 64, 256):
        yield f"chunks of {size}", chunked(size)
    compiled = torch.compile(entropy, dynamic=False)
    try:
        compiled(torch.zeros(16, VOCABULARY))
    except Exception as error:  # the compiler's own errors have no common type
        print(f"torch.compile is not available: {str(error).splitlines()[0][:100]}")
    else:
        yield "compiled, chunks of 16", chunked(16, compiled)
        yield "compiled, chunks of 256", chunked(256, compiled)


@torch.inference_mode()
def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rows", type=int, default=512)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--json", help="file for the figures")
    chosen = arguments.parse_args()
    figures = []
    available = list(forms())
    base = torch.randn(chosen.rows, VOCABULARY, generator=torch.Generator().manual_seed(0)) * 2.5
    for name, dtype in (("F32", torch.float32), ("BF16", torch.bfloat16), ("F16", torch.float16)):
        rows = base.to(dtype)
        size = rows.numel() * rows.element_size()
        for threads in (1, 2):
            torch.set_num_threads(threads)
            times = {form: [] for form, _ in available}
            for _ in range(chosen.rounds):
                for form, function in available:
                    started = time.perf_counter()
                    function(rows)
                    times[form].append(time.perf_counter() - started)
            for form, seconds in times.items():
                rate = size / statistics.median(seconds) / 1e9
                figures.append({"type": name, "threads": threads, "form": form, "gigabytes_per_second": rate})
                print(f"{name:5} {threads} threads  {form:24} {rate:6.3f} GB/s")
    if chosen.json:
        pathlib.Path(chosen.json).write_text(json.dumps({"torch": figures}, indent=1))


if __name__ == "__main__":
    main()
