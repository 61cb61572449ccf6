"""The service's numbers in NumPy float64 with gradients in closed form: what a reply is compared with.

Inputs are dictionaries of arrays by wire name. It is checked against the golden files, which come from autograd.
"""

import math

import numpy as np

VIEWS = ("original", "preserving", "removing")
FULL_VOCABULARY = ("full_kl", "jsd")
COMMON = dict(
    detector="entropy", epsilon=1e-6, min_delta_entropy=0, top_k_ratio=0.5, gate="positive_advantage",
    gate_threshold=0, loss="infonce", tau=0.1, coefficient=0.01, aggregation="token-mean", norm_length=None,
    global_batch_size=None, stop_gradient=[], temperature=1, grad_scale=1)
PRESETS = {
    "cppo-verl": COMMON | dict(score="relative", quota="floor", scope="sequence", ties="all", estimator="k3"),
    "cppo-areal": COMMON | dict(score="relative", quota="ceil", scope="segment", ties="first", estimator="k1"),
    "cppo-paper": COMMON | dict(
        score="absolute", quota="ceil", scope="sequence", ties="first", estimator="full_kl", coefficient=0.02),
}
CLAMPS = {
    ("cppo-verl", "k3"): (20, 10), ("cppo-areal", "k1"): (None, 10), ("cppo-areal", "k2"): (None, 10),
    ("cppo-areal", "k3"): (None, 10)}


def resolve(options):
    preset = options.get("preset", "cppo-verl")
    resolved = PRESETS[preset] | options
    clamp_input, clamp_result = CLAMPS.get((preset, resolved["estimator"]), (None, None))
    return {"preset": preset, "clamp_input": clamp_input, "clamp_result": clamp_result} | resolved


def statistics(logits, temperature=1, ids=None):
    """entropy, log_sum_exp and (with ids) log_probs of rows of logits."""
    z = np.asarray(logits, np.float64) / temperature
    if z.shape[-1] and z.size:
        top = z.max(-1, keepdims=True)
        log_sum_exp = (top + np.log(np.exp(z - top).sum(-1, keepdims=True)))[..., 0]
    else:
        log_sum_exp = np.zeros(z.shape[:-1])
    log_p = z - log_sum_exp[..., None]
    terms = np.exp(log_p) * np.where(np.isneginf(log_p), 0, log_p)
    out = {"entropy": -terms.sum(-1), "log_sum_exp": log_sum_exp}
    if ids is not None:
        out["log_probs"] = np.take_along_axis(log_p, np.asarray(ids)[..., None], -1)[..., 0]
    return out


def advantages(rewards, groups, estimator="grpo", std_epsilon=1e-6):
    rewards = np.asarray(rewards, np.float64)
    out = np.zeros(len(rewards))
    for group in set(groups):
        members = np.array([i for i, g in enumerate(groups) if g == group])
        n, own = len(members), rewards[members]
        if n > 1:
            if estimator == "rloo":
                out[members] = [r - np.delete(own, i).mean() for i, r in enumerate(own)]
            else:
                spread = own.std(ddof=1) + std_epsilon if estimator == "grpo" else 1
                out[members] = (own - own.mean()) / spread
    return out


def token_advantages(tensors, rows, tokens):
    if "rewards" in tensors:
        given = advantages(tensors["rewards"], list(tensors["group_ids"]))
    else:
        given = np.asarray(tensors["advantages"], np.float64)
    if given.shape == (len(rows),):
        return np.concatenate([np.full(end - start, a) for a, (start, end) in zip(given, rows)] or [np.zeros(0)])
    return given.reshape(tokens)


def turns(response, start, end, scope):
    """Slices of one row over which a quota is taken."""
    if scope == "sequence":
        return [np.arange(start, end)]
    inside = np.flatnonzero(response[start:end]) + start
    return np.split(inside, np.flatnonzero(np.diff(inside) > 1) + 1)


def select(original, removing, response, rows, o):
    """perception mask, candidates, ΔH, score over flat tokens."""
    delta = np.where(response, removing - original, 0)
    score = np.maximum(delta, 0)
    if o["score"] == "relative":
        score = np.divide(score, removing + o["epsilon"], where=response, out=np.zeros_like(score))
    candidates = response & (delta > o["min_delta_entropy"])
    chosen = np.zeros_like(response)
    for start, end in rows:
        for turn in turns(response, start, end, o["scope"]):
            ranked = turn[candidates[turn]]
            ranked = ranked[np.argsort(-score[ranked], kind="stable")]
            n = len(ranked)
            if not n:
                continue
            if o["quota"] == "floor":
                k = max(1, math.floor(np.float32(n) * np.float32(o["top_k_ratio"])))
            else:
                k = math.ceil(n * o["top_k_ratio"])
            k = min(k, n)
            kept = ranked[:k] if o["ties"] == "first" else ranked[score[ranked] >= score[ranked[k - 1]]]
            chosen[kept] = True
    return chosen, candidates, delta, score


def clamped(value, limit):
    """(value within ±limit, where the clamp acts)"""
    if limit is None:
        return value, np.zeros(value.shape, bool)
    return np.clip(value, -limit, limit), np.abs(value) > limit


def sampled(a, ref, o):
    """(D, ∂D/∂a, clamp active); ∂D/∂ref = −∂D/∂a for every sampled estimator."""
    x, active = clamped(ref - a, o["clamp_input"])
    if o["estimator"] == "k1":
        value, slope = -x, np.ones_like(x)
    elif o["estimator"] == "abs":
        value, slope = np.abs(x), -np.sign(x)
    elif o["estimator"] == "k2":
        value, slope = x * x / 2, -x
    else:
        value, slope = np.expm1(x) - x, -np.expm1(x)
    value, beyond = clamped(value, o["clamp_result"])
    active = active | beyond
    return value, np.where(active, 0, slope), active


def over_vocabulary(log_a, log_r, estimator, temperature):
    """(D, ∂D/∂z_a, ∂D/∂z_r) for raw logits z; entries of probability 0 contribute nothing."""
    p, q = np.exp(log_a), np.exp(log_r)
    with np.errstate(invalid="ignore"):
        if estimator == "full_kl":
            gap = np.where(p > 0, log_a - log_r, 0)
            value = (p * gap).sum(-1)
            return value, p * (gap - value[..., None]) / temperature, (q - p) / temperature
        log_m = np.logaddexp(log_a, log_r) - math.log(2)
        gap_a, gap_r = np.where(p > 0, log_a - log_m, 0), np.where(q > 0, log_r - log_m, 0)
    left, right = (p * gap_a).sum(-1), (q * gap_r).sum(-1)
    slope_a = p * (gap_a - left[..., None]) / 2 / temperature
    slope_r = q * (gap_r - right[..., None]) / 2 / temperature
    return (left + right) / 2, slope_a, slope_r


def row_weights(mask, rows, o, longest):
    """Weight of each token in the numerator, and the denominator."""
    weight = mask.astype(np.float64)
    if o["aggregation"] == "token-mean":
        return weight, weight.sum() + 1e-8
    for start, end in rows:
        if o["aggregation"] == "seq-mean-token-mean":
            weight[start:end] /= weight[start:end].sum() + 1e-8
        elif o["aggregation"] == "seq-mean-token-sum-norm" and end > start:
            weight[start:end] /= o["norm_length"] or longest
    return weight, float(o["global_batch_size"] or len(rows))


def score(tensors, options):
    """The reply of /v1/score: flat arrays over tokens by wire name, and the scalars."""
    o = resolve(options)
    first = next(v for k, v in tensors.items() if k.endswith((".log_probs", ".logits")))
    if "cu_seqlens" in tensors:
        edges = [int(e) for e in tensors["cu_seqlens"]]
        rows, tokens = list(zip(edges[:-1], edges[1:])), first.shape[0]
        longest = max([end - start for start, end in rows], default=0)
    else:
        count, longest = first.shape[:2]
        rows, tokens = [(b * longest, (b + 1) * longest) for b in range(count)], count * longest
    response = np.asarray(tensors.get("response_mask", np.ones(tokens))).reshape(tokens).astype(bool)

    def flat(name):
        return np.where(response, np.asarray(tensors[name], np.float64).reshape(tokens), 0)

    log_p, entropy = {}, {}
    for v in VIEWS:
        if f"{v}.logits" in tensors:
            raw = np.asarray(tensors[f"{v}.logits"], np.float64)
            raw = np.where(response[:, None], raw.reshape(tokens, raw.shape[-1]), 0) / o["temperature"]
            found = statistics(raw)
            log_p[v], entropy[v] = raw - found["log_sum_exp"][:, None], found["entropy"]
        if f"{v}.entropy" in tensors:
            entropy[v] = flat(f"{v}.entropy")
    out = {}
    if o["detector"] == "entropy":
        chosen, candidates, delta, ranking = select(entropy["original"], entropy["removing"], response, rows, o)
        out |= {"delta_entropy": delta, "perception_score": ranking}
    else:
        chosen = candidates = response
        delta = np.zeros(tokens)
    gate = response
    if o["gate"] != "none":
        gate = response & (token_advantages(tensors, rows, tokens) > o["gate_threshold"])
    mask = chosen & gate

    full = o["estimator"] in FULL_VOCABULARY
    if full:
        to_p, *slopes_p = over_vocabulary(log_p["original"], log_p["preserving"], o["estimator"], o["temperature"])
        to_n, *slopes_n = over_vocabulary(log_p["original"], log_p["removing"], o["estimator"], o["temperature"])
        to_p, active_p = clamped(to_p, o["clamp_result"])
        to_n, active_n = clamped(to_n, o["clamp_result"])
        slopes_p = [np.where(active_p[:, None], 0, slope) for slope in slopes_p]
        slopes_n = [np.where(active_n[:, None], 0, slope) for slope in slopes_n]
        slopes = [slopes_p[0] - slopes_n[0], slopes_p[1], -slopes_n[1]]
        active = active_p | active_n
    else:
        ids = np.asarray(tensors.get("token_ids", np.zeros(tokens, int))).reshape(tokens)
        a, p, n = (
            flat(f"{v}.log_probs") if f"{v}.log_probs" in tensors
            else np.take_along_axis(log_p[v], np.where(response, ids, 0)[:, None], -1)[:, 0]
            for v in VIEWS)
        to_p, slope_p, active_p = sampled(a, p, o)
        to_n, slope_n, active_n = sampled(a, n, o)
        slopes, active = [slope_p - slope_n, -slope_p, slope_n], active_p | active_n
    margin = to_p - to_n
    if o["loss"] == "infonce":
        c = np.logaddexp(margin / o["tau"], 0)
        outer = np.exp(-np.logaddexp(0, -margin / o["tau"])) / o["tau"]
    else:
        c, outer = margin, np.ones(tokens)
    weight, denominator = row_weights(mask, rows, o, longest)
    numerator = float((np.where(mask, c, 0) * weight).sum())
    loss = numerator / denominator if denominator else 0.0
    outer = np.where(mask, outer * weight, 0) / (denominator or 1) * o["grad_scale"]
    if full:
        out["grad.rows"] = np.flatnonzero(mask)
    for v, slope in zip(VIEWS, slopes):
        stopped = 0.0 if v in o["stop_gradient"] else 1.0
        if full:
            out[f"grad.{v}.logits"] = (slope * outer[:, None] * stopped)[mask]
        else:
            out[f"grad.{v}.log_probs"] = np.where(mask, slope * outer * stopped, 0)
    out |= {"perception_mask": chosen, "gate": gate, "mask": mask, "token_loss": np.where(response, c, 0)}

    def count(start, end):
        part = slice(start, end)
        inside, left = response[part], mask[part]
        return {
            "tokens": int(inside.sum()), "candidates": int(candidates[part].sum()),
            "selected": int(chosen[part].sum()), "gated": int(left.sum()),
            "mean_delta_entropy": float(delta[part][inside].mean()) if inside.any() else 0.0,
            "mean_margin": float(margin[part][left].mean()) if left.any() else 0.0,
            "clamped_fraction": float(active[part][left].mean()) if left.any() else 0.0,
        }

    scalars = {
        "loss": loss, "weighted_loss": loss * o["coefficient"], "loss_numerator": numerator,
        "loss_denominator": denominator,
        "diagnostics": count(0, tokens) | {"sequences": [count(s, e) for s, e in rows]},
    }
    return out, scalars
