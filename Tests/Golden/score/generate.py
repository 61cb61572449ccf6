"""Writes the golden files of /v1/score beside itself: `python Tests/Golden/score/generate.py`.

Needs torch and numpy. See ../README.md for what a file holds.
"""

import json
import pathlib
import sys

import numpy as np
import torch

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import golden_file
from cases import CASES
from method import score
from references import areal_row, verl_row


def check_conditioning(name, info):
    """No selection may hang on the last bits: scores are equal or clearly apart, ΔH is at its limit or clearly off."""
    o, batch = info["options"], info["batch"]
    if o["detector"] == "none":
        return
    exact = not batch.logits
    for i in range(batch.tokens):
        if batch.response[i]:
            distance = abs(info["delta"][i] - o["min_delta_entropy"])
            certain = batch.logits and next(iter(batch.logits.values())).shape[-1] == 1
            assert (distance == 0 and (exact or certain)) or distance > 1e-5, (name, i, distance)
    for start, end in batch.rows:
        ordered = sorted(info["scores"][i] for i in range(start, end) if info["candidates"][i])
        for low, high in zip(ordered, ordered[1:]):
            assert (exact and low == high) or high - low > 1e-6 * high, (name, low, high)


def check_references(name, tensors, out, o, batch):
    """Where a preset is used as published, the restated programs must select the same tokens."""
    published = {k: v for k, v in o.items() if k in ("score", "quota", "scope", "ties", "epsilon", "min_delta_entropy")}
    verl = dict(score="relative", quota="floor", scope="sequence", ties="all", epsilon=1e-6, min_delta_entropy=0.0)
    areal = dict(verl, quota="ceil", scope="segment", ties="first")
    if o["detector"] != "entropy" or "original.entropy" not in tensors:
        return None
    chosen = out["perception_mask"].reshape(-1).numpy().astype(bool)
    narrow = [batch.entropy[v].numpy().astype(np.float32) for v in ("original", "removing")]
    response = batch.response.numpy()
    for start, end in batch.rows:
        original, removing, inside = narrow[0][start:end], narrow[1][start:end], response[start:end]
        if published == verl and inside.all():
            assert (verl_row(original, removing, o["top_k_ratio"]) == chosen[start:end]).all(), name
        elif published == areal:
            assert (areal_row(original, removing, inside, o["top_k_ratio"]) == chosen[start:end]).all(), name
        else:
            return None
    return "verl" if published == verl else "areal"


def main():
    torch.manual_seed(0)
    for old in HERE.glob("*.safetensors"):
        old.unlink()
    total, checked = 0, {"verl": 0, "areal": 0, None: 0}
    for name, (tensors, options) in CASES.items():
        out, scalars, info = score(tensors, options)
        check_conditioning(name, info)
        checked[check_references(name, tensors, out, info["options"], info["batch"])] += 1
        for key, value in out.items():
            assert torch.isfinite(value.double()).all(), (name, key)
        contents = tensors | {"expect." + k: v for k, v in out.items()}
        metadata = {"options": json.dumps(options), "expect": json.dumps(scalars)}
        total += golden_file.write(HERE / f"{name}.safetensors", contents, metadata)
    print(f"{len(CASES)} files, {total} bytes; selections as in verl {checked['verl']}, as in AReaL {checked['areal']}")


if __name__ == "__main__":
    sys.exit(main())
