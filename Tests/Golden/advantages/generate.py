"""Writes the golden files of /v1/advantages beside itself: `python Tests/Golden/advantages/generate.py` (torch).

Means, deviations and variances are exact rational numbers until the last step.
"""

import itertools
import json
import pathlib
import sys

import numpy as np
import torch

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "score")]

import golden_file
from groups import group_advantages
from golden_file import DTYPES

METHODS = ("grpo", "dr_grpo", "rloo")


def main():
    for old in HERE.glob("*.safetensors"):
        old.unlink()
    random = np.random.default_rng(20260101)
    cases = {
        "right-and-wrong-answers": ([1, 0, 0, 1, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1, 1, 1]),
        "equal-rewards-have-no-spread": ([0.5] * 4 + [1, 1], [2, 2, 2, 2, 9, 9]),
        "groups-of-one": ([1, 0.25, -3], [4, 5, 6]),
        "a-group-of-one-among-others": ([1, 0.25, -3, 2, 0.5], [4, 4, 6, 4, 4]),
        "interleaved-groups-and-negative-ids": (random.normal(0, 1, 12).tolist(), [-1, 7, 3] * 4),
        "large-equal-rewards-that-differ-in-the-last-place": ([1e6, 1e6 + 0.0625, 1e6, 1e6 + 0.125], [0] * 4),
        "nothing": ([], []),
    }
    for name, (rewards, groups) in cases.items():
        for method in METHODS:
            for dtype in DTYPES if name.startswith("interleaved") else ["F32"]:
                suffix = f"-in-{dtype.lower()}" if name.startswith("interleaved") else ""
                write(f"{name}-by-{method.replace('_', '-')}{suffix}", rewards, groups, method, dtype)
    residues()
    files = list(HERE.glob("*.safetensors"))
    print(f"{len(files)} files, {sum(f.stat().st_size for f in files)} bytes")


def residues():
    """Rewards whose mean Float64 sums miss: what is 0 but for rounding must be 0, in any order."""
    for order in itertools.permutations(range(3)):
        rewards = [[0.2, 0.1, 0.0][i] for i in order]
        write(f"the-middle-of-three-is-zero-in-order-{''.join(map(str, order))}", rewards, [5] * 3, "grpo", "F64")
    last_places = [0.1 + 0.2, 0.3, 0.3, 0.3]
    for method in METHODS:
        write(f"three-tenths-but-for-rounding-are-equal-by-{method.replace('_', '-')}", last_places, [1] * 4, method, "F64")
    scale = 2.0**52
    write("a-deviation-of-twenty-units-in-the-last-place-is-a-spread", [0.5, 0.5 + 20 / scale], [0, 0], "grpo", "F64", std_epsilon=0)
    write("a-deviation-below-four-units-in-the-last-place-is-none", [0.5, 0.5 + 3.5 / scale], [0, 0], "grpo", "F64", std_epsilon=0)
    write("rewards-near-the-largest-double", [1e200, 0, 0, -1e200], [0] * 4, "grpo", "F64")
    write("rewards-near-the-largest-double-of-one-sign", [1.5e308, 1.25e308, 1.5e308, 1e308], [0] * 4, "grpo", "F64")
    write("rewards-near-the-smallest-double", [3e-300, 1e-300, 2e-300], [0] * 3, "grpo", "F64", std_epsilon=0)
    equal = [0.5, 0.5, 0.1, 0.1, 0.1, 1, 0]
    write("equal-groups-without-an-epsilon-are-zero", equal, [0, 0, 1, 1, 1, 2, 2], "grpo", "F64", std_epsilon=0)
    write("one-alone-without-an-epsilon-is-zero", [0.7, 1, 0], [3, 4, 4], "grpo", "F32", std_epsilon=0)
    hidden = [1e16, 1.0, -1e16, 3.0]
    write("small-rewards-beside-large-ones-keep-their-mean", hidden, [0] * 4, "grpo", "F64")
    write("small-rewards-beside-large-ones-keep-their-mean-by-dr-grpo", hidden, [0] * 4, "dr_grpo", "F64")


def write(name, rewards, groups, method, dtype, **options):
    given = torch.tensor(rewards, dtype=torch.float64).to(DTYPES[dtype])
    tensors = {"rewards": given, "group_ids": torch.tensor(groups, dtype=torch.int64)}
    epsilon = options.get("std_epsilon", 1e-6)
    tensors["expect.advantages"] = group_advantages(given.double().tolist(), groups, method, epsilon)
    assert torch.isfinite(tensors["expect.advantages"]).all(), name
    contents = {"options": json.dumps({"advantage_estimator": method} | options)}
    golden_file.write(HERE / f"{name}.safetensors", tensors, contents)


if __name__ == "__main__":
    main()
