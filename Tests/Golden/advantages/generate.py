"""Writes the golden files of /v1/advantages beside itself: `python Tests/Golden/advantages/generate.py` (torch)."""

import json
import pathlib
import sys

import numpy as np
import torch

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "score")]

import golden_file
from batch import group_advantages
from golden_file import DTYPES


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
        for method in ("grpo", "dr_grpo", "rloo"):
            for dtype in DTYPES if name.startswith("interleaved") else ["F32"]:
                given = torch.tensor(rewards, dtype=torch.float64).to(DTYPES[dtype])
                tensors = {"rewards": given, "group_ids": torch.tensor(groups, dtype=torch.int64)}
                tensors["expect.advantages"] = group_advantages(given.double(), groups, method)
                suffix = f"-in-{dtype.lower()}" if name.startswith("interleaved") else ""
                file = HERE / f"{name}-by-{method.replace('_', '-')}{suffix}.safetensors"
                golden_file.write(file, tensors, {"options": json.dumps({"advantage_estimator": method})})
    files = list(HERE.glob("*.safetensors"))
    print(f"{len(files)} files, {sum(f.stat().st_size for f in files)} bytes")


if __name__ == "__main__":
    main()
