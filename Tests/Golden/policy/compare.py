"""Compares a running server's policy loss with verl's and TRL's own functions over random batches.

    python compare.py http://127.0.0.1:8080 [--batches 1000] [--seed 1]
    python compare.py --oracle                 # the formulas of oracle.py in place of a server

Each batch draws every option: verl is asked for all of it, TRL where it has the options and no clamp of verl's acts. Prints
the largest relative difference of each scalar, and of the gradient of policy_loss + kl_coefficient · kl against its
largest element; a reply's gradients are float32. Exits with 1 when one is above 1e-6. Installation as for generate.py.
"""

import argparse
import collections
import json
import sys
import urllib.request

import numpy as np
import safetensors
import safetensors.torch
import torch

from batches import DEFAULTS, draw, pack, request
from libraries import TRL_TYPES, trl, trl_fits, verl
from oracle import oracle

LIMIT = 1e-6
MODES = ("token-mean", "token-sum", "seq-mean-token-sum", "seq-mean-token-mean", "seq-mean-token-sum-norm")


def options(random, lengths):
    """Every option about evenly often."""
    pick = lambda *values: values[random.integers(len(values))]  # noqa: E731
    o = DEFAULTS | {
        "policy": pick("ppo", "ppo", "ppo", "ppo", "ppo", "none"), "policy_aggregation": pick(*MODES),
        "clip_low": pick(0.2, 0.1, 3e-4), "clip_high": pick(0.2, 0.28, 4e-4),
        "dual_clip": pick(None, 3.0, 1.5), "importance_level": pick("token", "sequence"),
        "kl_estimator": pick("k1", "k2", "k3", "k3", "k3", "k3+"), "kl_coefficient": pick(0.0, 0.001, 0.05, 1.0),
        "policy_tokens": pick("response", "response", "response", "perception")}
    if o["policy_aggregation"] == "token-sum":
        o["policy_denominator"] = float(pick(sum(lengths), 4 * 512, round(random.uniform(0.5, 100), 3)))
    if o["policy"] == "none":
        # Options that act on nothing are refused.
        kept = ("policy", "kl_estimator", "kl_coefficient", "policy_aggregation", "policy_denominator")
        o = DEFAULTS | {k: o[k] for k in kept}
        o["kl_coefficient"] = o["kl_coefficient"] or 0.5
    if o["policy"] == "ppo" and o["importance_level"] == "sequence":
        o["dual_clip"] = None if o["policy_tokens"] == "perception" else o["dual_clip"]
    return o


def batch_of(random):
    """(batch, options, packed)"""
    lengths = random.integers(0, 13, random.integers(1, 7)).tolist()
    lengths[0] = max(1, lengths[0])
    o = options(random, lengths)
    far = random.random() < 0.2
    spread = random.uniform(5, 30) if far else random.choice([0.003, 0.1, 0.5])
    reference = o["policy"] == "none" or random.random() < 0.6
    batch = draw(
        random, lengths, max(lengths), spread=spread, distance=spread, depth=spread if far else 1.0,
        reference=reference, by_token=random.random() < 0.3)
    if not reference:
        o |= {"kl_estimator": "k3", "kl_coefficient": 0.0}
    # Packed rows have no T but the longest row's, and that is the drawn one.
    return batch, o, random.random() < 0.3


def reply_of(address, batch, o, packed):
    tensors, chosen = request(batch, o, packed)
    if not (o["policy"] == "ppo" or o["kl_coefficient"]):
        return None
    body = safetensors.torch.save({k: v.contiguous() for k, v in tensors.items()}, {"options": json.dumps(chosen)})
    call = urllib.request.Request(
        f"{address}/v1/score", data=body, headers={"Content-Type": "application/x-safetensors"})
    try:
        with urllib.request.urlopen(call, timeout=60) as answer:
            content = answer.read()
    except urllib.error.HTTPError as error:
        sys.exit(f"{error.code} {error.read().decode()}\nfor {chosen}")
    length = int.from_bytes(content[:8], "little")
    result = json.loads(json.loads(content[8:8 + length])["__metadata__"]["result"])
    found = {k: result[k] for k in ("policy_loss", "kl", "clip_fraction", "objective") if result.get(k) is not None}
    slopes = safetensors.torch.load(content)["grad.original.log_probs"].double()
    inside = batch["mask"].bool()
    found["gradient"] = slopes if packed else slopes.reshape(inside.shape)[inside]
    return found


def sources(batch, o):
    """(name, what it makes of the batch) for every program that has these options."""
    # verl has no dual clip of sequences.
    if not (o["importance_level"] == "sequence" and o["dual_clip"]):
        yield "verl", verl(batch, o)
    if trl_fits(batch, o):
        for kind, mode in TRL_TYPES.items():
            if mode == o["policy_aggregation"] and not (kind == "dapo" and o["policy_denominator"] < 1):
                yield f"trl {kind}", trl(batch, o, kind)


def relative(name, found, expected):
    found, expected = (torch.as_tensor(v, dtype=torch.float64) for v in (found, expected))
    scale = expected.abs().max().item() if expected.numel() else 0.0
    # Sums of terms that cancel have nothing to be relative to but their terms, which are about 1.
    floor = 1e-12 if name == "gradient" else 1e-6
    return (found - expected).abs().max().item() / max(scale, floor) if found.numel() else 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", nargs="?")
    parser.add_argument("--oracle", action="store_true")
    parser.add_argument("--batches", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.oracle == bool(given.address):
        parser.error("give a server's address or --oracle")
    worst, seen, compared = {}, collections.Counter(), 0
    number = 0
    while compared < given.batches:
        random = np.random.default_rng([given.seed, number])
        number += 1
        batch, o, packed = batch_of(random)
        inside = batch["mask"].bool()
        expectations = list(sources(batch, o))
        if not expectations:
            continue
        if given.oracle:
            found = oracle(batch, o)
            found["gradient"] = found["gradient"][inside]
        else:
            found = reply_of(given.address, batch, o, packed)
        compared += 1
        for source, expected in expectations:
            expected["gradient"] = expected["gradient"][inside]
            seen[source] += 1
            for name, value in expected.items():
                if name not in found:
                    sys.exit(f"batch {number}: no {name} in the reply to {o}")
                difference = relative(name, found[name], value)
                key = (source, name)
                if difference >= worst.get(key, (0, 0))[0]:
                    worst[key] = (difference, number)
    print(f"{compared} batches: " + ", ".join(f"{count} by {name}" for name, count in sorted(seen.items())))
    for (source, name), (difference, number) in sorted(worst.items()):
        print(f"{source:14} {name:14} {difference:.1e}  (batch {number})")
    return max(difference for difference, _ in worst.values()) > LIMIT


if __name__ == "__main__":
    sys.exit(main())
