"""Writes the golden files of /v1/score beside itself: `python Tests/Golden/score/generate.py`.

Needs torch and numpy. See ../README.md for what a file holds.
"""

import collections
import json
import pathlib
import sys

import numpy as np
import torch

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

# Each of these adds its requests to CASES.
import cases  # noqa: F401
import cases_detectors  # noqa: F401
import cases_edges  # noqa: F401
import cases_presets  # noqa: F401
import cases_terms  # noqa: F401
import cases_vocabulary  # noqa: F401
import golden_file
import published
from conditioning import certain
from method import score
from references import areal_row, verl_row
from registry import CASES


def check_references(name, tensors, out, o, batch):
    """Where a CPPO preset is used as published, the restated programs must select the same tokens."""
    ranking = {k: o[k] for k in ("score", "quota", "scope", "ties", "epsilon", "min_delta_entropy")}
    verl = dict(score="relative", quota="floor", scope="sequence", ties="all", epsilon=1e-6, min_delta_entropy=0.0)
    areal = dict(verl, quota="ceil", scope="segment", ties="first")
    if o["detector"] != "entropy" or "original.entropy" not in tensors or "perception_mask" not in out:
        return None
    chosen = out["perception_mask"].reshape(-1).numpy().astype(bool)
    narrow = [batch.entropy_of(v).numpy().astype(np.float32) for v in ("original", "removing")]
    response = batch.response.numpy()
    for start, end in batch.rows:
        original, removing, inside = narrow[0][start:end], narrow[1][start:end], response[start:end]
        if ranking == verl and inside.all():
            assert (verl_row(original, removing, o["top_k_ratio"]) == chosen[start:end]).all(), name
        elif ranking == areal:
            assert (areal_row(original, removing, inside, o["top_k_ratio"]) == chosen[start:end]).all(), name
        else:
            return None
    return "verl" if ranking == verl else "areal"


def main():
    torch.manual_seed(0)
    for old in HERE.glob("*.safetensors"):
        old.unlink()
    total, checked = 0, collections.Counter()
    for name, (tensors, options) in CASES.items():
        out, scalars, info = score(tensors, options)
        fault = certain(info)
        assert fault is None, (name, fault)
        checked[check_references(name, tensors, out, info["options"], info["batch"])] += 1
        checked[published.check(name, options, info, out, scalars)] += 1
        for key, value in out.items():
            assert torch.isfinite(value.double()).all(), (name, key)
        contents = tensors | {"expect." + k: v for k, v in out.items()}
        metadata = {"options": json.dumps(options), "expect": json.dumps(scalars)}
        total += golden_file.write(HERE / f"{name}.safetensors", contents, metadata)
    del checked[None]
    print(f"{len(CASES)} files, {total} bytes; as published: {dict(checked)}")


if __name__ == "__main__":
    sys.exit(main())
