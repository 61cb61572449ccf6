"""CPPO from logits: divergences over the whole vocabulary, and estimates from the realised token."""

import torch

from inputs import draw, floats, logits, views, with_logits
from registry import case


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


vocabularies()
