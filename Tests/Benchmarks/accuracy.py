"""The largest errors of the server's numbers against float64 on the same inputs.

    python Tests/Benchmarks/accuracy.py --binary .build/release/perception-server

Inputs are rounded to F32, F16 or BF16 first and widened exactly for the float64 result. Relative errors are taken where
the exact number is at least 1e-6 of the tensor's largest; below that only the absolute error means something.
"""

import argparse
import contextlib
import json
import pathlib
import sys

import numpy as np
import requests

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "Contract"))

import serving
import twin
import wire
import workload

WIDE = 151_936


def rounded(values, dtype):
    """A stored tensor of the values rounded to nearest, ties to even."""
    if dtype != "BF16":
        return wire.Stored.of(np.asarray(values).astype(wire.TYPES[dtype]))
    bits = np.asarray(values, np.float32).view(np.uint32)
    bits = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return wire.Stored("BF16", bits.shape, bits.tobytes())


def post(url, tensors, options):
    reply = wire.post_safetensors(requests, url, tensors, options)
    if reply.status_code != 200:
        sys.exit(reply.text)
    stored, metadata = wire.read(reply.content)
    return {k: t.values for k, t in stored.items()}, json.loads(metadata["result"])


def report(label, found, expected):
    found, expected = np.asarray(found, np.float64).ravel(), np.asarray(expected, np.float64).ravel()
    error, size = np.abs(found - expected), np.abs(expected)
    counted = size >= max(size.max(initial=0) * 1e-6, 1e-300)
    relative = (error[counted] / size[counted]).max(initial=0)
    print(f"{label:60} {error.max(initial=0):10.2e} {relative:10.2e}")


def rows(url, dtype, vocabulary, count):
    values = rounded(workload.logits(count, vocabulary), dtype)
    ids = np.random.default_rng(1).integers(0, vocabulary, (1, count))
    ids[0, ::2] = values.values[0, ::2].argmax(-1)
    found, _ = post(f"{url}/v1/entropy", {"logits": values, "token_ids": wire.Stored.of(ids)}, {})
    for name, expected in twin.statistics(values.values, ids=ids).items():
        report(f"{dtype:5} V {vocabulary:7,}  {name}", found[name], expected)


def compact(url, dtype, preset):
    tensors = {k: rounded(v, dtype) for k, v in workload.compact().items()}
    options = {"preset": preset}
    found, scalars = post(f"{url}/v1/score", tensors, options)
    expected, exact = twin.score({k: t.values for k, t in tensors.items()}, options)
    assert (found["mask"].ravel() == expected["mask"]).all(), "another selection"
    report(f"{dtype:5} 8 × 4,096  {preset}  loss", [scalars["loss"]], [exact["loss"]])
    for name in sorted(n for n in expected if n.startswith("grad.")):
        report(f"{dtype:5} 8 × 4,096  {preset}  {name}", found[name], expected[name])


def full(url, dtype, estimator, count=4):
    base = workload.logits(count, WIDE)
    random = np.random.default_rng(2)
    moved = {
        "original": base, "preserving": base + random.normal(0, 0.3, base.shape),
        "removing": 0.7 * base + random.normal(0, 0.5, base.shape)}
    tensors = {f"{view}.logits": rounded(values, dtype) for view, values in moved.items()}
    options = {"preset": "cppo-paper", "estimator": estimator, "detector": "none", "gate": "none", "tau": 1.0}
    found, scalars = post(f"{url}/v1/score", tensors, options)
    expected, exact = twin.score({k: t.values for k, t in tensors.items()}, options)
    report(f"{dtype:5} V {WIDE:7,}  {estimator}  loss", [scalars["loss"]], [exact["loss"]])
    for name in sorted(n for n in expected if n.endswith(".logits")):
        report(f"{dtype:5} V {WIDE:7,}  {estimator}  {name}", found[name], expected[name])


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    where = arguments.add_mutually_exclusive_group(required=True)
    where.add_argument("--server", help="base URL of a running server")
    where.add_argument("--binary", help="server binary to start and stop")
    chosen = arguments.parse_args()
    with contextlib.ExitStack() as stack:
        url = chosen.server or stack.enter_context(serving.running(chosen.binary))
        print(f"{'largest error against float64':60} {'absolute':>10} {'relative':>10}")
        for dtype in ("F32", "BF16", "F16"):
            for vocabulary, count in ((1000, 64), (WIDE, 16)):
                rows(url, dtype, vocabulary, count)
            for preset in ("cppo-verl", "cppo-areal"):
                compact(url, dtype, preset)
            for estimator in ("full_kl", "jsd"):
                full(url, dtype, estimator)


if __name__ == "__main__":
    main()
