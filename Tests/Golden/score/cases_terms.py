"""Own losses: terms over any views, estimators, shapes, caps, entropy terms, what is differentiated."""

import torch

from inputs import draw, floats, logits, only, old_of, packed, padded, prefix_mask, two_views, views, with_logits
from options import term
from registry import case

LOG_PROBS = tuple(f"{v}.log_probs" for v in ("original", "preserving", "removing"))
ORIGINAL, PRESERVING, REMOVING = "original", "preserving", "removing"
PAIRS = {
    "one-pair": [term(ORIGINAL, PRESERVING, 0.75)],
    "two-pairs": [term(PRESERVING, ORIGINAL, 1.0), term(PRESERVING, REMOVING, -0.5)],
    "three-pairs": [term(ORIGINAL, PRESERVING, 1.0), term(ORIGINAL, REMOVING, -1.0), term(PRESERVING, REMOVING, -0.25)],
    "six-pairs": [
        term(ORIGINAL, PRESERVING, 1.0), term(PRESERVING, ORIGINAL, 0.5), term(ORIGINAL, REMOVING, -1.0),
        term(REMOVING, ORIGINAL, -0.5), term(PRESERVING, REMOVING, -0.25), term(REMOVING, PRESERVING, 0.125)],
}
FREE = dict(detector="none", gate="none")


def three(name, batch=3, length=13, **more):
    return only(padded(name, batch, length, advantages=False, **more), *LOG_PROBS)


def own_terms():
    for estimator in ("k1", "abs", "k2", "k3", "symmetric"):
        name = f"six-pairs-with-{estimator}"
        case(name, three(name), estimator=estimator, terms=PAIRS["six-pairs"], tau=0.7, **FREE)
    name = "anchor-preserving"
    case(name, three(name), terms=PAIRS["two-pairs"], **FREE)
    name = "anchor-removing-of-two-views"
    case(name, only(three(name), LOG_PROBS[1], LOG_PROBS[2]), terms=[term(REMOVING, PRESERVING, 2.0)], **FREE)
    name = "terms-without-weights-weigh-one"
    case(name, three(name), terms=[{"anchor": "original", "reference": "removing"}], **FREE)
    name = "a-pair-named-twice-adds-up"
    case(name, two_views(name, 3, 11), terms=[term(ORIGINAL, REMOVING, -1.5), term(ORIGINAL, REMOVING, 0.5)], **FREE)
    name = "a-pair-that-cancels-itself"
    case(
        name, two_views(name, 2, 7), terms=[term(ORIGINAL, REMOVING, 1.0), term(ORIGINAL, REMOVING, -1.0)], loss="margin",
        **FREE)
    name = "eight-terms"
    case(name, three(name), terms=PAIRS["six-pairs"] + PAIRS["one-pair"] + [term(REMOVING, ORIGINAL, 3.0)], **FREE)
    name = "own-terms-behind-the-entropy-detector-and-a-gate"
    case(name, padded(name, 4, 15), terms=PAIRS["three-pairs"], loss="margin")
    name = "own-terms-of-two-views-behind-the-entropy-detector"
    tensors = padded(name, 3, 15, advantages=False)
    del tensors["preserving.log_probs"]
    case(name, tensors, terms=[term(REMOVING, ORIGINAL, -0.5)], gate="none", preset="cppo-areal", estimator="k2")
    name = "own-terms-over-packed-rows"
    case(name, packed(name, [5, 9, 0, 7], "BF16"), terms=PAIRS["three-pairs"], preset="cppo-areal")
    for aggregation in ("seq-mean-token-mean", "seq-mean-token-sum-norm"):
        name = f"own-terms-under-{aggregation}"
        case(name, three(name), terms=PAIRS["two-pairs"], aggregation=aggregation, **FREE)
    name = "token-reward-of-a-preserved-anchor"
    case(
        name, padded(name, 3, 12), terms=[term(ORIGINAL, PRESERVING, 2.0), term(ORIGINAL, REMOVING, -1.0)],
        **{"return": ["token_reward", "mask"]})
    name = "no-terms-behind-the-entropy-detector"
    tensors = only(padded(name, 3, 12), "original.entropy", "removing.entropy", LOG_PROBS[0])
    case(name, tensors, terms=[], entropy_coefficients={"original": 0.1})
    name = "no-terms-and-nothing-else"
    tensors = only(padded(name, 3, 12), "original.entropy", "removing.entropy")
    case(name, tensors, terms=[])


def symmetric():
    name = "symmetric-in-the-margin"
    case(name, three(name), estimator="symmetric", **FREE)
    lines = {
        "original.log_probs": floats([[-0.5, -40, -0.25, -3, -15, -0.125, -3]]),
        "removing.log_probs": floats([[-25, -38, -2.5, -2.25, -6, -0.125, -3.5]]),
    }
    for label, clamps in {
        "input-alone": dict(clamp_input=2.0), "result-alone": dict(clamp_result=10.0),
        "input-and-result": dict(clamp_input=3.0, clamp_result=5.0)}.items():
        case(
            f"symmetric-with-a-clamp-of-{label}", dict(lines), estimator="symmetric", terms=[term(ORIGINAL, REMOVING)],
            loss="margin", **FREE, **clamps)
    limits = {
        "original.log_probs": floats([[-1, -3, -1]]), "removing.log_probs": floats([[-3, -1, -3.125]])}
    case(
        "symmetric-on-the-limit-of-its-clamp", limits, estimator="symmetric", terms=[term(ORIGINAL, REMOVING)],
        loss="margin", clamp_input=2.0, **FREE)
    case(
        "k2-with-a-clamp-of-its-input", dict(lines), estimator="k2", terms=[term(ORIGINAL, REMOVING)], loss="margin",
        clamp_input=2.0, **FREE)
    case(
        "abs-with-both-clamps", dict(lines), estimator="abs", terms=[term(REMOVING, ORIGINAL)], loss="margin",
        clamp_input=8.0, clamp_result=5.0, **FREE)
    name = "symmetric-from-logits"
    case(name, with_logits(name, 2, 7, 11), estimator="symmetric", preset="cppo-areal")


def caps_and_sums():
    def one(name, tensors=None, **options):
        case(name, three(name) if tensors is None else tensors, **FREE, **options)

    one("loss-cap-acts-from-above", loss_cap=0.01)
    one("loss-cap-acts-from-below", loss="margin", terms=[term(ORIGINAL, REMOVING, -1.0)], loss_cap=0.05)
    one("loss-cap-does-not-act", loss_cap=50.0)
    level = {k: floats([[-0.5, -0.5]]) if k == LOG_PROBS[0] else floats([[-0.75, -0.75]]) for k in LOG_PROBS[:2]}
    sum_of = dict(estimator="k1", terms=[term(ORIGINAL, PRESERVING)], loss="margin", aggregation="token-sum")
    one("loss-on-its-cap-keeps-its-gradient", level, denominator=2.0, loss_cap=0.25, **sum_of)
    one("loss-beyond-its-cap-has-none", level, denominator=2.0, loss_cap=0.2499, **sum_of)
    one("token-sum", aggregation="token-sum", denominator=12.5)
    one("token-sum-over-a-denominator-below-one", aggregation="token-sum", denominator=0.125, loss="margin")
    name = "token-sum-over-packed-rows"
    case(name, packed(name, [6, 2, 9]), aggregation="token-sum", denominator=4096, preset="cppo-areal")
    name = "token-sum-of-no-tokens"
    case(
        name, three(name, mask=False) | {"response_mask": prefix_mask([0, 0, 0], 13)}, aggregation="token-sum",
        denominator=3, **FREE)
    name = "loss-cap-in-the-objective-leaves-the-entropy-terms"
    one(name, two_views(name, 3, 11), preset="papo-g", loss_cap=0.01)


def objectives():
    def one(name, tensors=None, **options):
        case(name, three(name) if tensors is None else tensors, **(FREE | options))

    one("objective-without-entropy-terms-is-weighted", gradient_of="objective", coefficient=0.25)
    one("gradient-of-the-loss-beside-entropy-terms", gradient_of="loss", entropy_coefficients={"removing": 0.1})
    one("entropy-terms-of-all-views", entropy_coefficients={"original": 0.1, "preserving": -0.2, "removing": 0.3})
    one("entropy-term-of-a-stopped-view", entropy_coefficients={"preserving": 0.5}, stop_gradient=["preserving"])
    one("entropy-terms-of-stopped-views-alone", entropy_coefficients={"removing": 0.5}, stop_gradient=["removing"])
    name = "entropy-term-of-a-view-in-no-term"
    one(name, terms=[term(ORIGINAL, REMOVING, -1.0)], entropy_coefficients={"preserving": 0.5})
    name = "entropy-terms-are-token-mean-under-every-aggregation"
    one(name, entropy_coefficients={"original": 0.1}, aggregation="seq-mean-token-sum", global_batch_size=7)
    one("objective-scaled", entropy_coefficients={"original": 0.1}, coefficient=0.5, grad_scale=-8.0)
    name = "entropy-terms-count-tokens-that-the-mask-leaves-out"
    case(name, padded(name, 4, 13), entropy_coefficients={"original": 0.05, "removing": 0.05})
    name = "entropy-terms-of-a-response-of-no-tokens"
    one(name, three(name, mask=False) | {"response_mask": prefix_mask([0, 0, 0], 13)}, entropy_coefficients={"original": 1})
    name = "weights-are-the-negative-gradients"
    one(name, **{"return": ["weights", "grad.original.log_probs", "token_loss"]})
    name = "weights-of-the-objective-of-one-view"
    one(name, two_views(name, 3, 9), preset="papo-recompute", **{"return": ["weights.removing"]})
    one("token-reward-alone", coefficient=0.01, **{"return": ["token_reward"]})
    name = "token-reward-and-mask-behind-a-gate"
    case(name, padded(name, 4, 13), loss_cap=0.001, **{"return": ["token_reward", "mask", "grad"]})


def vocabularies():
    for estimator in ("full_kl", "jsd", "jeffreys"):
        for label, terms in PAIRS.items():
            name = f"{estimator}-over-{label}"
            tensors = with_logits(name, 2, 5, 11)
            del tensors["token_ids"], tensors["advantages"]
            used = {v for t in terms for v in (t["anchor"], t["reference"])}
            tensors = only(tensors, *(f"{v}.logits" for v in used))
            case(
                name, tensors, preset="cppo-paper", estimator=estimator, terms=terms,
                loss="margin" if label in ("one-pair", "six-pairs") else "infonce", **FREE)
    for dtype in ("F32", "BF16", "F64"):
        name = f"jeffreys-in-{dtype.lower()}-under-the-paper-preset"
        case(name, with_logits(name, 2, 7, 13, dtype), preset="cppo-paper", estimator="jeffreys")
    name = "jeffreys-at-temperature-with-one-view-stopped-and-grads-scaled"
    case(
        name, with_logits(name, 2, 6, 12), preset="cppo-paper", estimator="jeffreys", detector="none", temperature=0.7,
        stop_gradient=["original"], grad_scale=-3.0)
    name = "jeffreys-over-packed-logits"
    tensors = only(logits(draw(name), (9,), 15, "F16"), "original.logits", "removing.logits")
    del tensors["token_ids"]
    tensors["cu_seqlens"] = torch.tensor([0, 2, 2, 9], dtype=torch.int32)
    case(name, tensors, preset="bips-separation", estimator="jeffreys", loss_cap=None)
    name = "jeffreys-of-equal-views"
    tensors = only(with_logits(name, 1, 4, 9, mask=False), "original.logits")
    del tensors["advantages"], tensors["token_ids"]
    tensors["removing.logits"] = tensors["original.logits"].clone()
    case(name, tensors, preset="bips-separation", estimator="jeffreys")
    name = "jeffreys-of-a-single-token-vocabulary"
    case(name, with_logits(name, 2, 3, 1), preset="cppo-paper", estimator="jeffreys", detector="none")
    name = "jeffreys-with-impossible-tokens"
    tensors = with_logits(name, 1, 6, 12, mask=False)
    for view in (ORIGINAL, PRESERVING, REMOVING):
        tensors[view + ".logits"][..., 3] = float("-inf")
    case(name, tensors, preset="cppo-paper", estimator="jeffreys", **FREE)
    name = "bips-separation-of-full-kl-under-its-cap"
    tensors = only(with_logits(name, 2, 6, 9), "original.logits", "removing.logits")
    del tensors["token_ids"], tensors["advantages"]
    case(name, tensors, preset="bips-separation", estimator="full_kl", loss_cap=30.0)
    case(name.replace("under", "beyond"), dict(tensors), preset="bips-separation", estimator="full_kl", loss_cap=0.05)


def realised_tokens():
    """Estimators and entropy terms that reach the logits through the realised token."""
    for estimator in ("k1", "abs", "k2", "k3", "symmetric"):
        name = f"gradients-of-logits-named-with-{estimator}-over-three-pairs"
        tensors = with_logits(name, 2, 5, 9, "BF16" if estimator == "k2" else "F32")
        del tensors["advantages"]
        case(
            name, tensors, estimator=estimator, terms=PAIRS["three-pairs"], tau=1.0, **FREE,
            **{"return": ["grad.original.logits", "grad.preserving.logits", "grad.removing.logits", "mask"]})
    name = "gradients-of-logits-named-for-one-of-two-views"
    tensors = only(with_logits(name, 2, 6, 9), "original.logits", "removing.logits")
    del tensors["advantages"]
    case(
        name, tensors, preset="bips-separation",
        **{"return": ["grad.original.logits", "grad.original.log_probs", "token_loss"]})
    name = "gradients-of-logits-of-the-objective-cover-the-response"
    tensors = with_logits(name, 2, 7, 9)
    case(
        name, tensors, entropy_coefficients={"original": 0.05, "removing": 0.05}, top_k_ratio=0.3,
        **{"return": ["grad.original.logits", "grad.removing.logits", "mask", "grad.original.log_probs"]})
    name = "papo-g-from-logits"
    tensors = only(with_logits(name, 3, 7, 12), "original.logits", "removing.logits")
    del tensors["advantages"]
    case(name, tensors, preset="papo-g")
    name = "papo-recompute-from-logits-at-temperature"
    tensors = only(with_logits(name, 2, 6, 10), "original.logits", "removing.logits")
    del tensors["advantages"]
    case(
        name, tensors, preset="papo-recompute", temperature=0.8,
        **{"return": ["grad", "grad.original.logits", "grad.removing.logits"]})
    for estimator in ("full_kl", "jsd", "jeffreys"):
        name = f"{estimator}-and-entropy-terms-from-the-same-logits"
        case(
            name, with_logits(name, 2, 6, 10), preset="cppo-paper", estimator=estimator,
            entropy_coefficients={"original": 0.05, "removing": -0.05}, temperature=1.25)
    name = "full-kl-and-entropy-terms-of-given-log-probs"
    tensors = with_logits(name, 2, 6, 10)
    del tensors["token_ids"]
    sent = only(views(draw(name), (2, 6)), "original.log_probs", "removing.log_probs")
    case(
        name, tensors | sent, preset="cppo-paper", entropy_coefficients={"original": 0.05, "removing": 0.1},
        stop_gradient=["removing"])
    name = "full-kl-and-entropy-terms-one-given-one-from-logits"
    tensors = with_logits(name, 2, 6, 10) | only(views(draw(name), (2, 6)), "removing.log_probs")
    case(name, tensors, preset="cppo-paper", entropy_coefficients={"original": 0.05, "removing": 0.1}, loss_cap=1e-6)
    name = "full-kl-of-two-views-and-the-entropy-term-of-a-third"
    tensors = with_logits(name, 2, 5, 10)
    del tensors["advantages"]
    case(
        name, tensors, preset="cppo-paper", terms=[term(ORIGINAL, REMOVING, -1.0)], loss="margin",
        entropy_coefficients={"preserving": 0.5}, **FREE)
    name = "gradient-of-the-loss-alone-with-full-kl-beside-entropy-terms"
    case(
        name, with_logits(name, 2, 6, 10), preset="cppo-paper", entropy_coefficients={"original": 0.05},
        gradient_of="loss")


def domains():
    name = "residues-below-zero-of-entropies-count-as-zero"
    tensors = padded(name, 2, 8, mask=False)
    tensors["advantages"] = floats([1.0, 0.5])
    tensors["original.entropy"][0, 1:4] = floats([-1e-6, -9e-4, -1e-7])
    tensors["removing.entropy"][0, 1:4] = floats([-1e-6, 0.25, -9e-4])
    tensors["removing.entropy"][1, 6] = -5e-4
    case(name, tensors)
    name = "residues-below-zero-of-bf16-entropies-count-as-zero"
    tensors = packed(name, [6, 5], "BF16")
    tensors["advantages"] = floats([1.0, 0.5])
    tensors["original.entropy"][2:4] = floats([-0.25, -0.125], "BF16")
    tensors["removing.entropy"][2:4] = floats([0.5, -0.25], "BF16")
    case(name, tensors, score="absolute")
    name = "log-probs-of-rounding-above-zero-are-kept"
    tensors = two_views(name, 2, 6, mask=False)
    tensors["original.log_probs"][0, :3] = floats([5e-4, 1e-7, 0])
    tensors["removing.log_probs"][1, 2] = 9e-4
    case(name, tensors, preset="papo-recompute")
    name = "log-probs-of-rounding-above-zero-in-bf16"
    tensors = two_views(name, 2, 6, dtype="BF16", mask=False)
    tensors["original.log_probs"][0, 4] = 0.125
    case(name, old_of(name, tensors, dtype="BF16"), preset="vppo")
    name = "rewards-of-a-residue-do-not-open-the-gate"
    tensors = three(name, 7, 5)
    tensors["rewards"] = floats([0.2, 0.1, 0, 0.1 + 0.2, 0.3, 0.3, 0.3], "F64")
    tensors["group_ids"] = torch.tensor([0, 0, 0, 1, 1, 1, 1], dtype=torch.int64)
    case(name, tensors, detector="none")
    name = "reward-gate-of-grouped-rewards"
    tensors = three(name, 4, 6) | {"rewards": floats([1, 0.25, 0.5, 0.5])}
    tensors["group_ids"] = torch.tensor([3, 3, 8, 9], dtype=torch.int64)
    case(name, tensors, detector="none", gate="reward")
    name = "views-that-are-equal-in-most-tokens"
    tensors = three(name, 2, 8, mask=False)
    tensors["preserving.log_probs"] = tensors["original.log_probs"].clone()
    tensors["removing.log_probs"][0, 2:6] = tensors["original.log_probs"][0, 2:6]
    case(name, tensors, **FREE)


for group in (own_terms, symmetric, caps_and_sums, objectives, vocabularies, realised_tokens, domains):
    group()
