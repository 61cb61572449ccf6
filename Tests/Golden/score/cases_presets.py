"""The presets of the field as published, over padded and packed batches, and the golden tokens of the documentation."""

import numpy as np
import torch

from golden_file import DTYPES
from inputs import draw, floats, old_of, padded, prefix_mask, two_views
from registry import case

OTHER = {"bips-consistency": "preserving"}


def rewards(name, count):
    return floats(draw(name + " rewards").integers(0, 2, count))


def gated(preset, name, tensors, count):
    return tensors | {"rewards": rewards(name, count)} if preset == "bips-consistency" else tensors


def published():
    for preset in ("papo-g", "papo-d", "papo-recompute", "bips-consistency", "bips-separation"):
        other = OTHER.get(preset, "removing")
        name = f"{preset}-over-a-padded-batch"
        case(name, gated(preset, name, two_views(name, 4, 21, other), 4), preset=preset)
        name = f"{preset}-over-packed-rows-one-of-them-empty"
        case(name, gated(preset, name, two_views(name, 0, 0, other, lengths=[8, 0, 13, 1]), 4), preset=preset)
    for dtype in DTYPES:
        name = f"papo-g-in-{dtype.lower()}"
        case(name, two_views(name, 2, 17, dtype=dtype), preset="papo-g")
        name = f"vppo-in-{dtype.lower()}"
        case(name, old_of(name, two_views(name, 3, 15, dtype=dtype), dtype=dtype), preset="vppo")
    name = "vppo-over-a-padded-batch"
    case(name, old_of(name, two_views(name, 4, 21)), preset="vppo")
    name = "vppo-over-packed-rows-one-of-them-empty"
    case(name, old_of(name, two_views(name, 0, 0, lengths=[9, 12, 0, 3])), preset="vppo")
    name = "vppo-without-old-log-probs"
    case(name, two_views(name, 3, 12), preset="vppo")
    name = "vppo-with-its-mask-given"
    tensors = old_of(name, two_views(name, 3, 12))
    tensors["perception_mask"] = torch.tensor(draw(name).integers(0, 2, (3, 12)), dtype=torch.uint8)
    case(name, tensors, preset="vppo", detector="given")
    name = "papo-d-with-all-views-and-entropies-sent"
    tensors = padded(name, 2, 9)
    del tensors["advantages"]
    case(name, tensors, preset="papo-d")


def caps():
    """BiPS limits its losses from above; what acts has no gradient."""
    name = "bips-separation-whose-cap-does-not-act"
    near = two_views(name, 3, 12)
    step = draw(name).normal(0, 0.1, (3, 12))
    near["removing.log_probs"] = floats(np.minimum(near["original.log_probs"].numpy() + step, 0))
    case(name, near, preset="bips-separation")
    name = "bips-consistency-whose-cap-acts"
    far = two_views(name, 3, 12, "preserving")
    far["preserving.log_probs"] = floats(far["original.log_probs"].numpy() - 4 + draw(name).normal(0, 0.2, (3, 12)))
    case(name, far | {"rewards": floats([1, 0.5, 0])}, preset="bips-consistency")
    name = "bips-consistency-of-no-right-answer"
    case(name, two_views(name, 3, 8, "preserving") | {"rewards": floats([0, 0.25, 0])}, preset="bips-consistency")
    name = "bips-consistency-with-advantages-beside-the-rewards"
    tensors = two_views(name, 3, 8, "preserving") | {"rewards": floats([1, 0, 1]), "advantages": floats([-1, 1, 0])}
    case(name, tensors, preset="bips-consistency")


def golden_tokens():
    """Two variants of one method that are told apart: which way k3 looks, over what VPPO takes its least and most."""
    four = {
        "original.log_probs": floats([[-0.3, -1.2, -0.05, -2]], "F64"),
        "removing.log_probs": floats([[-1.8, -1.1, -0.9, -14]], "F64"),
    }
    ways = {
        "original-from-removing": {"anchor": "original", "reference": "removing", "weight": -1},
        "removing-from-original": {"anchor": "removing", "reference": "original", "weight": -1},
    }
    for way, term in ways.items():
        for stopped in (True, False):
            case(
                f"worked-papo-of-{way}-{'removing-stopped' if stopped else 'recomputed'}", dict(four),
                preset="papo-g" if stopped else "papo-recompute", terms=[term], entropy_coefficients={})
    name = "worked-vppo"
    four_rows = {
        "original.log_probs": floats([[-0.3, -1.2], [-0.05, -2], [-0.5, -0.5], [-1, -0.25]], "F64"),
        "removing.log_probs": floats([[-1.8, -1.1], [-0.9, -4], [-0.75, -0.5], [-3, -0.5]], "F64"),
    }
    parts = {"whole-batch": slice(0, 4), "first-micro-batch": slice(0, 2), "second-micro-batch": slice(2, 4)}
    for part, rows in parts.items():
        case(f"{name}-over-the-{part}", {k: t[rows].clone() for k, t in four_rows.items()}, preset="vppo")
    bounds = whole_batch(four_rows)
    for part in ("first-micro-batch", "second-micro-batch"):
        rows = parts[part]
        case(
            f"{name}-over-the-{part}-with-the-bounds-of-the-whole", {k: t[rows].clone() for k, t in four_rows.items()},
            preset="vppo", **bounds)
        case(
            f"{name}-over-the-{part}-as-published", {k: t[rows].clone() for k, t in four_rows.items()}, preset="vppo",
            dependency_min=bounds["dependency_min"], dependency_max=bounds["dependency_max"])


def whole_batch(tensors):
    x = (tensors["removing.log_probs"] - tensors["original.log_probs"]).clamp(-20, 20)
    means = (x.exp() - x - 1).clamp(-10, 10).mean(1)
    share = (means - means.min()) / (means.max() - means.min())
    return dict(
        dependency_min=float(means.min()), dependency_max=float(means.max()), dependency_mean=float(share.mean()))


def edges():
    for preset in ("papo-g", "vppo"):
        name = f"{preset}-of-no-rows"
        tensors = {f"{v}.log_probs": torch.zeros(0, 4) for v in ("original", "removing")}
        case(name, tensors, preset=preset)
        name = f"{preset}-of-rows-masked-entirely"
        tensors = two_views(name, 3, 7, mask=False)
        tensors["response_mask"] = prefix_mask([0, 0, 0], 7)
        case(name, tensors, preset=preset)
    name = "vppo-with-a-row-masked-entirely"
    tensors = two_views(name, 4, 7, mask=False)
    tensors["response_mask"] = prefix_mask([3, 0, 7, 5], 7)
    case(name, tensors, preset="vppo")
    name = "vppo-of-a-single-row"
    case(name, two_views(name, 1, 9, mask=False), preset="vppo")
    name = "vppo-of-equal-rows"
    one = two_views(name, 1, 6, mask=False)
    case(name, {k: t.repeat(3, 1) for k, t in one.items()}, preset="vppo")
    name = "vppo-of-equal-views-keeps-the-first"
    tensors = two_views(name, 2, 6, mask=False)
    tensors["removing.log_probs"] = tensors["original.log_probs"].clone()
    case(name, tensors, preset="vppo")


for group in (published, caps, golden_tokens, edges):
    group()
