"""Writes the golden files of /v1/entropy beside itself: `python Tests/Golden/entropy/generate.py` (torch, numpy).

Rows that break careless kernels, and rows of a real vocabulary's width. The wide ones are not stored: their
metadata says how to make them (see ../README.md), so that a file holds only the expected numbers.
"""

import json
import pathlib
import sys
import zlib

import numpy as np
import torch

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import golden_file
from golden_file import DTYPES

INFINITY = float("inf")


def noise(seed, count, bits, spread):
    """SplitMix64 from `seed`: the top `bits` bits u of each output give (u / 2^bits − 1/2)·spread, exactly."""
    with np.errstate(over="ignore"):
        steps = np.arange(1, count + 1, dtype=np.uint64)
        z = np.uint64(seed) + steps * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return ((z >> np.uint64(64 - bits)).astype(np.float64) / 2.0**bits - 0.5) * spread


def expected(logits, ids, temperature):
    z = logits.to(torch.float64) / temperature
    log_sum_exp = torch.logsumexp(z, dim=-1)
    log_p = z - log_sum_exp.unsqueeze(-1)
    entropy = -torch.where(log_p.isneginf(), 0.0, log_p.exp() * log_p).sum(-1)
    out = {"expect.entropy": entropy, "expect.log_sum_exp": log_sum_exp}
    if ids is not None:
        out["expect.log_probs"] = log_p.gather(-1, ids.unsqueeze(-1)).squeeze(-1)
    return out


def save(name, logits, ids, **options):
    tensors = {"logits": logits} | expected(logits, ids, options.get("temperature", 1.0))
    if ids is not None:
        tensors["token_ids"] = ids
    golden_file.write(HERE / f"{name}.safetensors", tensors, {"options": json.dumps(options)})


def save_made(name, dtype, rows, vocabulary, seed, bits, spread, spikes=()):
    values = noise(seed, rows * vocabulary, bits, spread)
    for index, value in spikes:
        values[index] = value
    logits = torch.tensor(values.reshape(rows, vocabulary)).to(DTYPES[dtype])
    assert (logits.to(torch.float64).numpy().reshape(-1) == values).all(), "every value must be exact in its type"
    ids = torch.tensor([(r * 7919) % vocabulary for r in range(rows)], dtype=torch.int64)
    recipe = dict(
        dtype=dtype, shape=[1, rows, vocabulary], seed=seed, bits=bits, spread=spread,
        spikes=[[index, "-inf" if value == -INFINITY else value] for index, value in spikes])
    tensors = {k: v.unsqueeze(0) for k, v in expected(logits, ids, 1.0).items()} | {"token_ids": ids.unsqueeze(0)}
    golden_file.write(HERE / f"{name}.safetensors", tensors, {"options": "{}", "made_logits": json.dumps(recipe)})


def main():
    for old in HERE.glob("*.safetensors"):
        old.unlink()

    def random(name):
        return np.random.default_rng(zlib.crc32(name.encode()))

    for dtype, kind in DTYPES.items():
        tiny = float(torch.finfo(kind).tiny)
        big = 1e4
        rows = [
            [0.0] * 7,
            [big] * 7,
            [-big] * 7,
            [0, 0, 0, big, 0, 0, 0],
            [big, -big, big, -big, 0, 0, 0],
            [-INFINITY, 1, -INFINITY, 2, -INFINITY, 3, -INFINITY],
            [-INFINITY] * 6 + [5.0],
            [tiny / 8, -tiny / 8, tiny / 4, 0, -tiny / 4, tiny / 2, -0.0],
            [30, 0, -30, 29, -29, 1, -1],
            [-745, -100, 0, -88, -104, -17, -37],
        ]
        logits = torch.tensor([rows], dtype=torch.float64).to(kind)
        ids = torch.tensor([[0, 1, 2, 3, 2, 5, 6, 4, 1, 0]], dtype=torch.int64)
        save(f"adversarial-rows-of-7-in-{dtype.lower()}", logits, ids)
        for vocabulary in (1, 2, 3, 33):
            name = f"rows-of-{vocabulary}-in-{dtype.lower()}"
            save(
                name, torch.tensor(random(name).normal(0, 4, (2, 3, vocabulary))).to(kind),
                torch.tensor(random(name).integers(0, vocabulary, (2, 3))))
        name = f"rows-of-1000-in-{dtype.lower()}"
        save(name, torch.tensor(random(name).normal(0, 3, (1, 4, 1000))).to(kind), None)
        bits = 8 if dtype in ("BF16", "F16") else 20
        lower = dtype.lower()
        save_made(f"made-rows-of-6625-in-{lower}", dtype, 3, 6625, 1, bits, 16.0, [(17, 15.0)])
        save_made(f"made-rows-of-151936-in-{lower}", dtype, 2, 151_936, 2, bits, 16.0)
        spikes = [(5, 24.0), (151_936 + 151_935, 40.0), (151_936 + 3, -INFINITY), (151_936 * 2, 96.0)]
        save_made(f"made-peaked-rows-of-151936-in-{lower}", dtype, 3, 151_936, 3, bits, 8.0, spikes)
        save_made(f"made-flat-rows-of-151936-in-{lower}", dtype, 1, 151_936, 4, bits, 2.0**-6)
    name = "at-temperature"
    logits = torch.tensor(random(name).normal(0, 4, (2, 4, 50)))
    save(name, logits.float(), torch.tensor(random(name).integers(0, 50, (2, 4))), temperature=0.6)
    save("no-rows", torch.zeros(0, 3, 5), torch.zeros(0, 3, dtype=torch.int64))
    save("rows-of-no-tokens", torch.zeros(2, 0, 5), torch.zeros(2, 0, dtype=torch.int64))
    files = list(HERE.glob("*.safetensors"))
    print(f"{len(files)} files, {sum(f.stat().st_size for f in files)} bytes")


if __name__ == "__main__":
    main()
