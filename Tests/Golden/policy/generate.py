"""Writes the golden files of the policy loss beside itself: `python Tests/Golden/policy/generate.py`.

Needs verl 0.9.1, TRL 1.16.0 and what they import; ../README.md says how to install them and what a file holds.
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
from batches import DEFAULTS, draw, pack, request
from libraries import trl, trl_fits, verl
from oracle import oracle

SCALARS = ("policy_loss", "kl", "clip_fraction", "objective")
LENGTHS, WIDTH = [5, 1, 7, 3], 7


def cases():
    """(name, options, how to draw the batch, packed, TRL's loss type)."""
    def case(name, how=None, packed=False, trl_type=None, **options):
        return name, DEFAULTS | options, how or {}, packed, trl_type

    plain = {"reference": False}
    wide = {"lengths": [9, 1, 12, 5], "width": 12, "depth": 25.0}
    yield case("defaults", plain)
    yield case("asymmetric-clip", plain | {"spread": 0.5}, clip_low=0.1, clip_high=0.28)
    yield case("no-clip-range", plain, clip_low=0.0, clip_high=0.0)
    yield case("one-advantage-a-token", plain | {"by_token": True})
    yield case("holes-in-the-response", plain | {"holes": True})
    yield case("dual-clip", plain | {"spread": 1.5}, dual_clip=3.0)
    yield case("dual-clip-below-the-upper-bound", plain | {"spread": 0.8}, dual_clip=1.1)
    yield case("ratios-beyond-the-clamp", plain | wide | {"spread": 20.0, "by_token": True})
    yield case("ratios-beyond-the-clamp-dual-clip", plain | wide | {"spread": 20.0}, dual_clip=3.0)
    yield case("sequence-level", plain, importance_level="sequence")
    yield case("sequence-level-seq-mean", plain | {"spread": 0.02}, importance_level="sequence", clip_low=3e-4,
               clip_high=4e-4, policy_aggregation="seq-mean-token-mean")
    yield case("sequence-level-one-advantage-a-token", plain | {"by_token": True}, importance_level="sequence")
    yield case("sequence-level-beyond-the-clamp", plain | wide | {"spread": 40.0}, importance_level="sequence")
    yield case("perception-tokens", plain, policy_tokens="perception")
    yield case("perception-tokens-seq-mean", plain | {"spread": 0.6}, policy_tokens="perception",
               policy_aggregation="seq-mean-token-mean", dual_clip=3.0)
    yield case("perception-tokens-sequence-level", plain, policy_tokens="perception", importance_level="sequence")
    for estimator in ("k1", "k2", "k3", "k3+"):
        name = estimator.replace("+", "-plus")
        yield case(f"kl-{name}", kl_estimator=estimator, kl_coefficient=0.05)
        yield case(f"kl-{name}-far-off", wide | {"distance": 25.0}, kl_estimator=estimator,
                   kl_coefficient=0.001)
    yield case("kl-watched-only")
    yield case("kl-alone", policy="none", kl_coefficient=0.5, policy_aggregation="seq-mean-token-mean")
    yield case("trl-grpo", trl_type="grpo", policy_aggregation="seq-mean-token-mean", kl_coefficient=0.04)
    yield case("trl-bnpo", trl_type="bnpo", policy_aggregation="token-mean", kl_coefficient=0.04)
    yield case("trl-dapo", plain, trl_type="dapo", policy_aggregation="token-sum", policy_denominator=41.0, clip_high=0.28)
    yield case("trl-dr-grpo", plain, trl_type="dr_grpo", policy_aggregation="token-sum", policy_denominator=4 * 256.0)
    yield case("trl-luspo-sequence-level", plain, trl_type="luspo", policy_aggregation="seq-mean-token-sum",
               importance_level="sequence")
    yield case("trl-delta-sequence-level", plain | {"spread": 1.2}, trl_type="grpo", dual_clip=2.0,
               policy_aggregation="seq-mean-token-mean", importance_level="sequence")
    yield case("sum-norm-packed", plain, packed=True, policy_aggregation="seq-mean-token-sum-norm")
    yield case("everything-packed", {"by_token": True, "spread": 0.6}, packed=True, clip_low=0.1, clip_high=0.3,
               dual_clip=3.0, kl_estimator="k3+", kl_coefficient=0.1, policy_aggregation="token-sum",
               policy_denominator=64.0, policy_tokens="perception")
    yield case("a-row-without-tokens", {"lengths": [4, 0, 6]}, policy_aggregation="seq-mean-token-mean",
               kl_coefficient=0.02)


def difference(found, expected):
    """Largest relative difference; a gradient's against its largest element."""
    worst = 0.0
    for name, value in found.items():
        one, other = (torch.as_tensor(v, dtype=torch.float64) for v in (value, expected[name]))
        scale = other.abs().max().item()
        worst = max(worst, (one - other).abs().max().item() / (scale if scale > 1e-12 else 1.0))
    return worst


def check_clamps(name, batch):
    """A case that is named for a clamp has tokens beyond it on every side, and others within."""
    inside = batch["mask"].bool()
    if "beyond" in name:
        d = (batch["log_probs"] - batch["old"])[inside]
        mean = ((batch["log_probs"] - batch["old"]) * batch["mask"]).sum(-1) / batch["mask"].sum(-1)
        assert (mean > 10).any() and (mean < 10).any() if "sequence" in name else (d > 20).any() and (d < -20).any(), name
    if "far-off" in name:
        d = (batch["log_probs"] - batch["reference"])[inside]
        assert (d > 20).any() and (d < -20).any() and (d.abs() < 2.5).any(), name


def main():
    for old in HERE.glob("*.safetensors"):
        old.unlink()
    count, total, worst = 0, 0, {"verl": 0.0, "trl": 0.0}
    for name, o, how, packed, trl_type in cases():
        random = np.random.default_rng(zlib.crc32(name.encode()))
        batch = draw(random, **({"lengths": LENGTHS, "width": WIDTH} | how))
        check_clamps(name, batch)
        # TRL's dual clip is of both levels, verl's of tokens only.
        source = "trl" if trl_type else "verl"
        assert not trl_type or trl_fits(batch, o), name
        found = trl(batch, o, trl_type) if trl_type else verl(batch, o)
        formulas = oracle(batch, o)
        worst[source] = max(worst[source], difference(found, formulas))
        assert difference(found, formulas) < 1e-7, (name, found, formulas)
        tensors, options = request(batch, o, packed)
        slopes = found.pop("gradient")
        tensors["expect.grad.original.log_probs"] = pack(slopes, batch["mask"].bool()) if packed else slopes
        # The libraries have no numerators: those are the formulas'.
        expect = {k: v for k, v in formulas.items() if k.endswith(("_numerator", "_denominator"))}
        expect |= {k: v for k, v in found.items() if k in SCALARS}
        if "clip_fraction" in formulas:
            # verl adds 1e-8 to the count of tokens; TRL counts sequences at sequence level.
            expect["clip_fraction"] = formulas["clip_fraction"]
        metadata = {"options": json.dumps(options), "expect": json.dumps(expect), "source": source}
        total += golden_file.write(HERE / f"{name}.safetensors", tensors, metadata)
        count += 1
    print(f"{count} files, {total} bytes; largest difference from the formulas: {worst}")


if __name__ == "__main__":
    sys.exit(main())
