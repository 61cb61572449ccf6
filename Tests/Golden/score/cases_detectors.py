"""Detectors that need no entropies, the gate of rewards, and advantages shaped by dependency."""

import torch

from inputs import draw, floats, old_of, only, packed, padded, two_views, views, with_logits
from options import term
from registry import case

TWO = [term("original", "removing", -1.0)]


def divergences():
    ways = {
        "all-floor-all": dict(candidates="all", quota="floor", ties="all"),
        "rising-floor-first": dict(candidates="rising", quota="floor", ties="first"),
        "rising-ceil-all": dict(candidates="rising", quota="ceil", ties="all"),
        "all-ceil-first": dict(candidates="all", quota="ceil", ties="first"),
    }
    for label, options in ways.items():
        for scope in ("sequence", "segment"):
            name = f"detector-divergence-{label}-by-{scope}"
            tensors = two_views(name, 3, 16, mask=False)
            tensors["response_mask"] = torch.tensor(
                [[1] * 5 + [0] * 3 + [1] * 8, [0] * 2 + [1, 1, 1, 0] * 3 + [1, 1], [1] * 16], dtype=torch.bool)
            case(name, tensors, detector="divergence", gate="none", terms=TWO, top_k_ratio=0.4, scope=scope, **options)
    for estimator in ("k1", "abs", "k2", "symmetric"):
        name = f"detector-divergence-by-{estimator}"
        case(
            name, two_views(name, 3, 11), detector="divergence", gate="none", terms=TWO, estimator=estimator,
            loss="margin")
    name = "detector-divergence-by-k1-of-rising-tokens-alone"
    case(
        name, two_views(name, 3, 11), detector="divergence", gate="none", terms=TWO, estimator="k1",
        candidates="rising", preset="cppo-areal", top_k_ratio=0.7)
    name = "detector-divergence-from-old-log-probs"
    case(
        name, old_of(name, padded_log_probs(name)), detector="divergence", gate="positive_advantage", top_k_ratio=0.3)
    name = "detector-divergence-from-old-log-probs-of-rising-tokens"
    case(
        name, old_of(name, padded_log_probs(name), 0.3), detector="divergence", gate="none", candidates="rising",
        quota="ceil")
    name = "detector-divergence-over-packed-rows"
    tensors = packed(name, [7, 0, 11, 2])
    tensors = only(tensors, "original.log_probs", "preserving.log_probs", "removing.log_probs")
    case(name, tensors, detector="divergence", preset="cppo-areal")
    name = "detector-divergence-needs-the-removing-view-though-no-term-does"
    case(
        name, padded_log_probs(name), detector="divergence", gate="none", terms=[term("original", "preserving")],
        loss="margin")
    name = "detector-divergence-whose-scores-lie-beyond-the-clamp"
    tensors = two_views(name, 2, 6, mask=False)
    tensors["removing.log_probs"][:, 1:4] = -30
    for rule in ("all", "first"):
        case(
            f"{name}-ties-{rule}", dict(tensors), detector="divergence", gate="none", terms=TWO, ties=rule,
            top_k_ratio=0.4, tau=1.0)
    name = "detector-divergence-without-rising-tokens"
    tensors = two_views(name, 2, 6, mask=False)
    tensors["removing.log_probs"] = floats(tensors["original.log_probs"].numpy() * 0.5)
    case(name, tensors, detector="divergence", gate="none", candidates="rising", terms=TWO)
    name = "detector-divergence-from-logits"
    tensors = only(with_logits(name, 2, 9, 11), "original.logits", "removing.logits")
    case(name, tensors, detector="divergence", terms=TWO, quota="ceil", top_k_ratio=0.3)
    for estimator in ("full_kl", "jsd", "jeffreys"):
        name = f"detector-divergence-by-{estimator}"
        tensors = only(with_logits(name, 2, 8, 9), "original.logits", "removing.logits")
        del tensors["token_ids"]
        case(name, tensors, detector="divergence", terms=TWO, preset="cppo-paper", estimator=estimator, loss="margin")
    name = "detector-divergence-by-full-kl-of-rising-tokens"
    tensors = only(with_logits(name, 2, 8, 9), "original.logits", "removing.logits")
    case(name, tensors, detector="divergence", terms=TWO, preset="cppo-paper", candidates="rising")
    name = "detector-divergence-by-full-kl-of-rising-tokens-by-given-log-probs"
    tensors = only(with_logits(name, 2, 8, 9), "original.logits", "removing.logits")
    del tensors["token_ids"]
    tensors |= only(views(draw(name), (2, 8)), "original.log_probs", "removing.log_probs")
    case(name, tensors, detector="divergence", terms=TWO, preset="cppo-paper", candidates="rising")


def padded_log_probs(name, batch=3, length=14):
    return only(padded(name, batch, length), "original.log_probs", "preserving.log_probs", "removing.log_probs")


def masks_given():
    for dtype in (torch.uint8, torch.bool, torch.int64):
        name = f"detector-given-as-{str(dtype).split('.')[1]}"
        tensors = padded_log_probs(name)
        tensors["perception_mask"] = torch.tensor(draw(name).integers(0, 2, (3, 14)), dtype=dtype)
        case(name, tensors, detector="given")
    name = "detector-given-packed-of-two-views"
    tensors = two_views(name, 0, 0, lengths=[4, 0, 9])
    tensors["perception_mask"] = torch.tensor([1, 0] * 6 + [1], dtype=torch.uint8)
    case(name, tensors, detector="given", gate="none", terms=TWO, preset="cppo-areal")
    name = "detector-given-of-no-tokens"
    tensors = two_views(name, 2, 6) | {"perception_mask": torch.zeros(2, 6, dtype=torch.uint8)}
    case(name, tensors, preset="papo-g", detector="given")
    name = "detector-given-with-full-kl"
    tensors = with_logits(name, 2, 6, 9)
    del tensors["token_ids"]
    tensors["perception_mask"] = torch.tensor(draw(name).integers(0, 2, (2, 6)), dtype=torch.uint8)
    case(name, tensors, preset="cppo-paper", detector="given")


def rewards():
    for threshold in (None, 0.25, -1.0):
        name = f"gate-of-rewards-from-{'one-half' if threshold is None else str(threshold).replace('.', '-')}"
        tensors = padded(name, 4, 9, advantages=False) | {"rewards": floats([0.5, 0.25, -1, 0.4375])}
        case(name, tensors, gate="reward", **({} if threshold is None else dict(gate_threshold=threshold)))
    name = "gate-of-rewards-over-packed-rows"
    tensors = packed(name, [5, 0, 8])
    del tensors["advantages"]
    case(name, tensors | {"rewards": floats([1, 1, 0.5], "BF16")}, gate="reward", preset="cppo-areal")


def shaping():
    def one(name, tensors=None, **options):
        tensors = old_of(name, two_views(name, 4, 9)) if tensors is None else tensors
        case(name, tensors, preset="vppo", **options)

    one("advantage-scale-with-another-floor", advantage_floor=0.5)
    one("advantage-scale-with-a-floor-of-zero", advantage_floor=0.0)
    one("advantage-scale-with-a-floor-of-one", advantage_floor=1.0)
    one("advantage-scale-with-the-least-and-the-most-given", dependency_min=0.1, dependency_max=0.5)
    one("advantage-scale-with-the-least-given", dependency_min=0.0)
    one("advantage-scale-with-the-mean-given", dependency_mean=0.375)
    one("advantage-scale-with-all-three-given", dependency_min=0.0, dependency_max=2.0, dependency_mean=0.25)
    one("advantage-scale-with-bounds-too-near-is-one", dependency_min=0.25, dependency_max=0.25 + 2.0**-21)
    one("advantage-scale-by-k1", estimator="k1")
    one("advantage-scale-by-symmetric", estimator="symmetric", clamp_result=5.0)
    name = "advantage-scale-behind-the-detector-none"
    case(name, two_views(name, 3, 9), preset="papo-g", advantage_shaping="dependency")
    name = "advantage-scale-beside-the-gate-of-advantages"
    case(name, padded(name, 4, 9), advantage_shaping="dependency")
    name = "advantage-scale-from-logits"
    tensors = only(with_logits(name, 3, 7, 9), "original.logits", "removing.logits")
    del tensors["advantages"]
    case(name, tensors, preset="vppo")


for group in (divergences, masks_given, rewards, shaping):
    group()
