"""The requests of CPPO: its presets over batches of every shape and type, each of its options alone, and its worked
values."""

import torch

from golden_file import DTYPES
from inputs import draw, floats, logits, packed, padded, views, with_logits
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


for group in (random_shapes, written_values, changed_alone):
    group()
