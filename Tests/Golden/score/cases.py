"""The requests of CPPO: its presets, each of its options alone, its worked values, and the edges of shapes."""

import math

import numpy as np
import torch

from golden_file import DTYPES
from inputs import draw, floats, logits, packed, padded, prefix_mask, views, with_logits
from registry import case

GOLDEN_ORIGINAL = [0.5, 1, 0.2, 0.05, 2, 0, 0.3, 0.8]
GOLDEN_REMOVING = [1.5, 0.9, 0.2, 0.1, 2.5, 0.4, 0.6, 1.6]


def random_shapes():
    for dtype in DTYPES:
        name = f"verl-preset-over-a-padded-batch-in-{dtype.lower()}"
        case(name, padded(name, 4, 23, dtype), preset="cppo-verl")
        name = f"areal-preset-over-packed-rows-in-{dtype.lower()}"
        case(name, packed(name, [7, 19, 1, 12], dtype), preset="cppo-areal")
        name = f"paper-preset-from-logits-in-{dtype.lower()}"
        case(name, with_logits(name, 2, 7, 13, dtype), preset="cppo-paper")
    for batch, length in [(1, 1), (1, 40), (5, 3), (3, 31)]:
        name = f"verl-preset-with-{batch}-rows-of-{length}"
        case(name, padded(name, batch, length), preset="cppo-verl")
    name = "areal-preset-over-a-padded-batch"
    case(name, padded(name, 5, 17), preset="cppo-areal")
    name = "verl-preset-over-packed-rows-one-of-them-empty"
    case(name, packed(name, [9, 0, 14]), preset="cppo-verl")
    name = "verl-preset-over-packed-logits"
    random = draw(name)
    tensors = logits(random, (11,), 17)
    tensors["cu_seqlens"] = torch.tensor([0, 4, 11], dtype=torch.int32)
    tensors["advantages"] = floats([0.5, 1.5])
    case(name, tensors, preset="cppo-verl")


def written_values():
    """The worked values of the method's documentation."""
    one = {
        "original.entropy": floats([GOLDEN_ORIGINAL]),
        "removing.entropy": floats([GOLDEN_REMOVING]),
        "advantages": floats([1.0]),
    }
    for view in ("original", "preserving", "removing"):
        one[view + ".log_probs"] = floats(views(draw(view), (1, 8))["original.log_probs"].numpy())
    for ratio in (0.1, 0.29, 0.3, 0.4, 0.5, 0.7, 1.0):
        for quota in ("floor", "ceil"):
            case(
                f"worked-entropies-with-quota-{quota}-of-{str(ratio).replace('.', '-')}", dict(one),
                preset="cppo-verl", quota=quota, top_k_ratio=ratio)
    turns = dict(one, response_mask=torch.tensor([[0, 1, 1, 1, 0, 1, 1, 1]], dtype=torch.uint8))
    case("worked-entropies-by-segment", turns, preset="cppo-areal")
    four = {
        "original.log_probs": floats([[-0.3, -1.2, -0.05, -2]], "F64"),
        "preserving.log_probs": floats([[-0.4, -1, -0.06, -2.5]], "F64"),
        "removing.log_probs": floats([[-1.8, -1.1, -0.9, -14]], "F64"),
    }
    for estimator in ("k1", "abs", "k2", "k3"):
        case(
            f"worked-log-probs-with-{estimator}-on-every-token", dict(four), preset="cppo-verl", detector="none",
            gate="none", estimator=estimator, clamp_input=None, clamp_result=None)
    case(
        "worked-log-probs-with-k1-clamped", dict(four), preset="cppo-areal", detector="none", gate="none")
    case(
        "worked-log-probs-with-k3-clamped", dict(four), preset="cppo-verl", detector="none", gate="none")


def changed_alone():
    """One option at a time, away from the verl preset."""
    def one(label, dtype="F32", **options):
        case(label, padded(label, 3, 21, dtype), preset="cppo-verl", **options)

    one("score-absolute", score="absolute")
    one("epsilon-large-changes-the-ranking", epsilon=0.5)
    one("min-delta-entropy-leaves-out-small-rises", min_delta_entropy=0.4)
    one("quota-ceil", quota="ceil", top_k_ratio=0.3)
    one("ties-first", ties="first")
    one("gate-none-with-advantages-sent", gate="none")
    one("gate-threshold-above-zero", gate_threshold=0.75)
    one("gate-threshold-below-zero", gate_threshold=-1.0)
    one("estimator-k1", estimator="k1", clamp_input=None, clamp_result=None)
    one("estimator-abs", estimator="abs", clamp_input=None, clamp_result=None)
    one("estimator-k2", estimator="k2", clamp_input=None, clamp_result=None)
    one("loss-margin", loss="margin")
    one("tau-one", tau=1.0)
    one("tau-small", tau=0.01)
    one("coefficient-only-weighs-the-loss", coefficient=0.25)
    one("grad-scale", grad_scale=0.125)
    one("stop-gradient-through-the-removing-view", stop_gradient=["removing"])
    one("stop-gradient-through-the-original-and-preserving-views", stop_gradient=["original", "preserving"])
    one("stop-gradient-through-all-views", stop_gradient=["original", "preserving", "removing"])
    for aggregation in ("seq-mean-token-sum", "seq-mean-token-mean", "seq-mean-token-sum-norm"):
        one(f"aggregation-{aggregation}", aggregation=aggregation)
        one(f"aggregation-{aggregation}-over-a-global-batch", aggregation=aggregation, global_batch_size=16)
    one("norm-length-of-a-constant", aggregation="seq-mean-token-sum-norm", norm_length=128)
    label = "norm-length-over-packed-rows"
    case(
        label, packed(label, [6, 11, 3]), preset="cppo-verl", aggregation="seq-mean-token-sum-norm", norm_length=32)
    label = "norm-length-of-packed-rows-is-the-longest"
    case(label, packed(label, [6, 11, 3]), preset="cppo-verl", aggregation="seq-mean-token-sum-norm")
    label = "aggregation-seq-mean-token-mean-over-packed-rows"
    case(label, packed(label, [6, 11, 3, 8]), preset="cppo-areal", aggregation="seq-mean-token-mean")
    label = "detector-none-without-entropies"
    tensors = {k: v for k, v in padded(label, 2, 9).items() if not k.endswith("entropy")}
    case(label, tensors, preset="cppo-verl", detector="none")
    label = "detector-none-with-entropies-and-a-gate"
    case(label, padded(label, 4, 9), preset="cppo-areal", detector="none")
    label = "gate-none-without-advantages"
    case(label, padded(label, 2, 12, advantages=False), preset="cppo-verl", gate="none")
    label = "scope-segment-with-several-turns"
    tensors = padded(label, 3, 24, mask=False)
    tensors["response_mask"] = torch.tensor(
        [[1] * 5 + [0] * 3 + [1] * 7 + [0] + [1] * 8, [0] * 4 + [1, 0] * 10, [1] * 24], dtype=torch.bool)
    tensors["advantages"] = floats([1.0, 0.5, 2.0])
    case(label, tensors, preset="cppo-verl", scope="segment", top_k_ratio=0.3)
    case(label + "-in-areal", dict(tensors), preset="cppo-areal", top_k_ratio=0.7)
    case(label + "-under-scope-sequence", dict(tensors), preset="cppo-verl")


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


def vocabularies():
    for estimator in ("full_kl", "jsd"):
        for dtype in ("F32", "BF16"):
            label = f"{estimator}-{dtype.lower()}-under-quota-floor"
            case(
                label, with_logits(label, 2, 9, 31, dtype), preset="cppo-paper", estimator=estimator, quota="floor",
                top_k_ratio=0.7)
        label = f"{estimator}-at-temperature"
        case(label, with_logits(label, 2, 6, 19), preset="cppo-paper", estimator=estimator, temperature=0.7)
        label = f"{estimator}-with-one-view-stopped-and-grads-scaled"
        case(
            label, with_logits(label, 1, 8, 23), preset="cppo-paper", estimator=estimator, detector="none",
            stop_gradient=["preserving"], grad_scale=4.0)
        label = f"{estimator}-with-the-margin-as-loss"
        case(label, with_logits(label, 2, 5, 11), preset="cppo-paper", estimator=estimator, loss="margin")
        label = f"{estimator}-with-impossible-tokens"
        tensors = with_logits(label, 1, 6, 12, mask=False)
        tensors["advantages"] = floats([1.0])
        for view in ("original", "preserving", "removing"):
            tensors[view + ".logits"][..., 3] = float("-inf")
        tensors["original.logits"][0, :3, 7] = float("-inf")
        if estimator == "jsd":
            tensors["removing.logits"][0, 2:, 5] = float("-inf")
            tensors["preserving.logits"][0, 4:, 9] = float("-inf")
        case(label, tensors, preset="cppo-paper", estimator=estimator, detector="none")
        label = f"{estimator}-of-a-single-token-vocabulary"
        case(label, with_logits(label, 2, 3, 1), preset="cppo-paper", estimator=estimator, detector="none")
        label = f"{estimator}-of-equal-views"
        tensors = with_logits(label, 1, 4, 9, mask=False)
        tensors["preserving.logits"] = tensors["original.logits"].clone()
        tensors["removing.logits"] = tensors["original.logits"].clone()
        case(label, tensors, preset="cppo-paper", estimator=estimator, detector="none", gate="none")
    label = "full-kl-with-entropies-sent-beside-the-logits"
    tensors = with_logits(label, 2, 6, 10)
    sent = views(draw(label), (2, 6))
    tensors["original.entropy"], tensors["removing.entropy"] = sent["original.entropy"], sent["removing.entropy"]
    case(label, tensors, preset="cppo-paper")
    label = "full-kl-over-packed-logits"
    tensors = logits(draw(label), (9,), 15, "F16")
    tensors["cu_seqlens"] = torch.tensor([0, 2, 2, 9], dtype=torch.int32)
    tensors["advantages"] = floats([1.0, 1.0, 0.5])
    case(label, tensors, preset="cppo-paper")
    label = "full-kl-over-a-wide-vocabulary"
    case(label, with_logits(label, 1, 4, 1000, "BF16", mask=False), preset="cppo-paper", gate="none")
    label = "k3-from-logits-at-temperature"
    case(label, with_logits(label, 2, 9, 14), preset="cppo-verl", temperature=1.5)
    label = "k1-from-logits-with-impossible-tokens"
    tensors = with_logits(label, 2, 7, 9, "F16")
    for view in ("original", "preserving", "removing"):
        beside = torch.nn.functional.one_hot((tensors["token_ids"] + 1) % 9, 9).bool()
        tensors[view + ".logits"].masked_fill_(beside, float("-inf"))
    case(label, tensors, preset="cppo-areal")
    label = "k3-from-logits-of-a-single-token-vocabulary"
    case(label, with_logits(label, 2, 4, 1), preset="cppo-verl")


for group in (random_shapes, written_values, changed_alone, quotas, ties, edges, clamps, vocabularies):
    group()
