"""Edges of CPPO: quotas at the border of rounding, ties, batches without tokens or candidates, clamps at their limits."""

import math

import numpy as np
import torch

from inputs import draw, floats, packed, padded, prefix_mask, views
from registry import case


def quotas():
    """Products n·p on whose rounding the two references disagree with exact arithmetic."""
    def rising(label, n):
        random = draw(label)
        original = random.permutation(np.linspace(0.1, 1.1, n))
        tensors = views(random, (n,))
        tensors["original.entropy"] = floats(original)
        tensors["removing.entropy"] = floats(original + random.permutation(np.linspace(0.05, 2, n)))
        tensors["cu_seqlens"] = torch.tensor([0, n], dtype=torch.int32)
        tensors["advantages"] = floats([1.0])
        return tensors

    label = "quota-floor-of-100-candidates-by-0-29-is-29-in-float32"
    case(label, rising(label, 100), preset="cppo-verl", top_k_ratio=0.29)
    label = "quota-floor-of-90-candidates-by-0-7-is-63-in-float32"
    case(label, rising(label, 90), preset="cppo-verl", top_k_ratio=0.7)
    label = "quota-floor-of-23-candidates-by-14-in-23-is-13-in-float32-factors"
    case(label, rising(label, 23), preset="cppo-verl", top_k_ratio=14 / 23)
    label = "quota-ceil-of-100-candidates-by-0-55-is-56-in-float64"
    case(label, rising(label, 100), preset="cppo-areal", top_k_ratio=0.55)
    label = "quota-floor-keeps-at-least-one"
    case(label, rising(label, 5), preset="cppo-verl", top_k_ratio=0.1)
    label = "quota-of-everything"
    case(label, rising(label, 12), preset="cppo-verl", top_k_ratio=1.0)


def ties():
    base = views(draw("ties"), (2, 10))
    base["original.entropy"] = floats([[1.0] * 10, [0.5] * 10])
    base["removing.entropy"] = floats([[2, 1.5, 1.5, 2, 1.5, 1.25, 1.5, 1, 0.5, 1.25], [0.75] * 10])
    base["advantages"] = floats([1.0, 1.0])
    for preset in ("cppo-verl", "cppo-areal"):
        for rule in ("all", "first"):
            case(f"ties-at-the-kth-score-{rule}-in-{preset}", dict(base), preset=preset, ties=rule, top_k_ratio=0.5)


def edges():
    label = "zero-candidates"
    tensors = padded(label, 2, 6)
    tensors["removing.entropy"] = tensors["original.entropy"].clone()
    tensors["advantages"] = floats([1.0, 1.0])
    for preset in ("cppo-verl", "cppo-areal"):
        case(f"{label}-in-{preset}", dict(tensors), preset=preset)
    for aggregation in ("seq-mean-token-mean", "seq-mean-token-sum"):
        case(f"{label}-under-{aggregation}", dict(tensors), preset="cppo-verl", aggregation=aggregation)
    label = "rows-masked-entirely"
    tensors = padded(label, 4, 8, mask=False)
    tensors["response_mask"] = torch.tensor([[0] * 8, [1] * 8, [0] * 8, [0, 0, 1, 1, 1, 1, 1, 0]], dtype=torch.int64)
    tensors["advantages"] = floats([1.0, 1.0, 1.0, 1.0])
    case(label, tensors, preset="cppo-verl")
    case(label + "-under-seq-mean-token-mean", dict(tensors), preset="cppo-verl", aggregation="seq-mean-token-mean")
    label = "padding-of-nan-and-infinity-is-never-read"
    tensors = padded(label, 3, 9, mask=False)
    tensors["response_mask"] = prefix_mask([4, 9, 0], 9)
    tensors["advantages"] = floats([1.0, 0.5, 1.0])
    for key, rubbish in zip(sorted(k for k in tensors if "." in k), [math.nan, math.inf, -math.inf] * 2):
        tensors[key][tensors["response_mask"] == 0] = rubbish
    case(label, tensors, preset="cppo-verl")
    label = "every-row-masked-entirely"
    tensors = padded(label, 2, 5)
    tensors["response_mask"] = torch.zeros(2, 5, dtype=torch.int32)
    case(label, tensors, preset="cppo-areal")
    for aggregation in ("token-mean", "seq-mean-token-sum", "seq-mean-token-sum-norm"):
        tensors = views(draw("empty"), (0, 4))
        tensors["advantages"] = floats([])
        case(f"no-rows-under-{aggregation}", tensors, preset="cppo-verl", aggregation=aggregation)
        tensors = views(draw("empty"), (3, 0))
        tensors["advantages"] = floats([1.0, -1.0, 0.0])
        case(f"rows-of-no-tokens-under-{aggregation}", tensors, preset="cppo-verl", aggregation=aggregation)
    tensors = views(draw("empty"), (0,))
    tensors["cu_seqlens"] = torch.tensor([0], dtype=torch.int32)
    tensors["advantages"] = floats([])
    case("no-packed-rows", tensors, preset="cppo-areal")
    label = "advantages-of-exactly-zero-do-not-pass"
    tensors = padded(label, 4, 7, mask=False)
    tensors["advantages"] = floats([0.0, -0.0, 1e-30, -1.0])
    case(label, tensors, preset="cppo-verl")
    label = "advantages-per-token"
    tensors = padded(label, 3, 10)
    tensors["advantages"] = floats(np.round(draw(label).normal(0, 1, (3, 10)), 1))
    case(label, tensors, preset="cppo-verl")
    label = "advantages-per-token-packed"
    tensors = packed(label, [5, 8])
    tensors["advantages"] = floats(np.round(draw(label).normal(0.3, 1, 13), 1), "BF16")
    case(label, tensors, preset="cppo-areal")
    label = "advantages-from-rewards-and-groups"
    tensors = padded(label, 5, 11, advantages=False)
    tensors["rewards"] = floats([1, 0, 0.5, 1, 1])
    tensors["group_ids"] = torch.tensor([7, 7, 7, 3, 3], dtype=torch.int64)
    case(label, tensors, preset="cppo-verl")
    tensors = {k: torch.zeros(2, 3) for k in ("original.log_probs", "preserving.log_probs", "removing.log_probs")}
    for estimator in ("abs", "k3"):
        case(
            f"equal-log-probs-with-{estimator}", dict(tensors), preset="cppo-verl", detector="none", gate="none",
            estimator=estimator, clamp_input=None)


def clamps():
    lines = {
        "original.log_probs": floats([[-0.5, -40, -0.25, -3, -15, -0.125, -30]]),
        "preserving.log_probs": floats([[-0.75, -2, -30, -3.5, -0.5, -0.125, -8]]),
        "removing.log_probs": floats([[-25, -1, -2.5, -2.25, -6, -12.125, -9]]),
    }
    everywhere = dict(detector="none", gate="none")
    for label, options in {
        "clamp-input-and-result-of-k3-active": dict(preset="cppo-verl"),
        "clamp-input-of-k3-alone-active": dict(preset="cppo-verl", clamp_result=None),
        "clamp-result-of-k3-alone-active": dict(preset="cppo-verl", clamp_input=None),
        "clamp-result-of-k1-active": dict(preset="cppo-areal"),
        "clamp-result-of-k2-active": dict(preset="cppo-areal", estimator="k2"),
        "clamp-result-narrow": dict(preset="cppo-areal", clamp_result=2.0),
        "clamp-input-narrow": dict(preset="cppo-verl", clamp_input=1.0),
    }.items():
        case(label, dict(lines), tau=5.0, **everywhere, **options)
    limits = {
        "original.log_probs": floats([[-1, -3, -1]]),
        "preserving.log_probs": floats([[-1.5, -3.5, -1.5]]),
        "removing.log_probs": floats([[-3, -1, -3.125]]),
    }
    case("clamp-on-its-limit-does-not-act", limits, preset="cppo-areal", clamp_result=2.0, **everywhere)


for group in (quotas, ties, edges, clamps):
    group()
