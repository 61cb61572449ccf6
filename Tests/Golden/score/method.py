"""The method in float64 torch, written from the formulas alone and in the slowest obvious way.

It shares nothing with the server: gradients come from autograd, selections from Python loops.
Everything is flat: N tokens, rows as (start, end). Padded [B, T] input is the special case of equal rows.
"""

import math

import numpy as np
import torch

VIEWS = ("original", "preserving", "removing")
FULL_VOCABULARY = ("full_kl", "jsd")

SHARED = dict(
    detector="entropy", epsilon=1e-6, min_delta_entropy=0.0, top_k_ratio=0.5, gate="positive_advantage",
    gate_threshold=0.0, loss="infonce", tau=0.1, coefficient=0.01, aggregation="token-mean", norm_length=None,
    global_batch_size=None, stop_gradient=[], temperature=1.0, grad_scale=1.0,
)
PRESETS = {
    "cppo-verl": dict(
        SHARED, score="relative", quota="floor", scope="sequence", ties="all", estimator="k3",
        clamp_input=20.0, clamp_result=10.0),
    "cppo-areal": dict(
        SHARED, score="relative", quota="ceil", scope="segment", ties="first", estimator="k1",
        clamp_input=None, clamp_result=10.0),
    "cppo-paper": dict(
        SHARED, score="absolute", quota="ceil", scope="sequence", ties="first", estimator="full_kl",
        clamp_input=None, clamp_result=None, coefficient=0.02),
}


def resolve(options):
    """Every option explicit: the preset's values, then what the client says."""
    resolved = dict(PRESETS[options["preset"]])
    resolved.update(options)
    return resolved


def double(tensor):
    return tensor.detach().to(torch.float64)


class Batch:
    """The request's tensors in float64, flattened over tokens."""

    def __init__(self, tensors, options):
        self.packed = "cu_seqlens" in tensors
        shaped = next(t for n, t in tensors.items() if n.endswith((".log_probs", ".logits")))
        if self.packed:
            bounds = tensors["cu_seqlens"].tolist()
            self.rows = list(zip(bounds[:-1], bounds[1:]))
            self.shape = list(shaped.shape[:1])
            self.longest = max([end - start for start, end in self.rows], default=0)
        else:
            count, length = shaped.shape[:2]
            self.rows = [(b * length, (b + 1) * length) for b in range(count)]
            self.shape = [count, length]
            self.longest = length
        self.tokens = math.prod(self.shape)
        self.response = self.flat(tensors.get("response_mask"), torch.bool)
        if self.response is None:
            self.response = torch.ones(self.tokens, dtype=torch.bool)
        self.logits = {
            v: self.vocabulary(tensors[v + ".logits"]) for v in VIEWS if v + ".logits" in tensors
        }
        self.ids = self.flat(tensors.get("token_ids"), torch.int64)
        self.log_probs = {
            v: self.flat(tensors[v + ".log_probs"], torch.float64) for v in VIEWS if v + ".log_probs" in tensors
        }
        self.entropy = {
            v: self.flat(tensors[v + ".entropy"], torch.float64) for v in VIEWS if v + ".entropy" in tensors
        }
        for held in (self.logits, self.log_probs, self.entropy):
            for tensor in held.values():
                tensor[~self.response] = 0.0
        temperature = options["temperature"]
        for view, logits in self.logits.items():
            if view not in self.entropy:
                self.entropy[view] = entropy(logits / temperature)
        self.advantages = self.advantage_per_token(tensors)

    def flat(self, tensor, dtype):
        return None if tensor is None else tensor.detach().to(dtype).reshape(self.tokens).clone()

    def vocabulary(self, tensor):
        return double(tensor).reshape(self.tokens, tensor.shape[-1]).clone()

    def advantage_per_token(self, tensors):
        if "rewards" in tensors:
            per_row = group_advantages(double(tensors["rewards"]), tensors["group_ids"].tolist(), "grpo")
        elif "advantages" in tensors:
            given = double(tensors["advantages"])
            if list(given.shape) == self.shape:
                return given.reshape(self.tokens)
            per_row = given
        else:
            return None
        spread = torch.zeros(self.tokens, dtype=torch.float64)
        for (start, end), value in zip(self.rows, per_row.tolist()):
            spread[start:end] = value
        return spread


def group_advantages(rewards, groups, method, epsilon=1e-6):
    """grpo (r − mean)/(s + ε), s with n − 1; dr_grpo r − mean; rloo r − mean of the others. One alone: 0."""
    result = torch.zeros_like(rewards)
    for group in sorted(set(groups)):
        members = [i for i, g in enumerate(groups) if g == group]
        if len(members) == 1:
            continue
        own = rewards[members]
        if method == "rloo":
            for i in members:
                result[i] = rewards[i] - rewards[[j for j in members if j != i]].mean()
        else:
            result[members] = own - own.mean()
            if method == "grpo":
                result[members] /= own.std(unbiased=True) + epsilon
    return result


def log_softmax(logits):
    return logits - torch.logsumexp(logits, dim=-1, keepdim=True)


def entropy(logits):
    """−Σ p·log p, in which p = 0 contributes nothing."""
    log_p = log_softmax(logits)
    return -torch.where(log_p.isneginf(), 0.0, log_p.exp() * log_p).sum(-1)


def quota(n, ratio, kind):
    """k of n candidates. floor multiplies in Float32, ceil takes the float64 product as it is."""
    if n == 0:
        return 0
    if kind == "floor":
        return min(n, max(1, math.floor(np.float32(n) * np.float32(ratio))))
    return min(n, math.ceil(ratio * n))


def scopes(batch, kind):
    """Index lists over which a quota is taken: response tokens of a row, or each maximal run of them."""
    for start, end in batch.rows:
        run = []
        for i in range(start, end):
            if batch.response[i]:
                run.append(i)
            elif kind == "segment":
                yield run
                run = []
        yield run


def perception(batch, o):
    """perception mask, ΔH, score, candidates: lists over N tokens, all 0 outside the response."""
    n = batch.tokens
    response = batch.response.tolist()
    delta, score = [0.0] * n, [0.0] * n
    if o["detector"] == "entropy":
        original, removing = batch.entropy["original"].tolist(), batch.entropy["removing"].tolist()
        for i in range(n):
            if response[i]:
                delta[i] = removing[i] - original[i]
                score[i] = max(delta[i], 0.0)
                if o["score"] == "relative":
                    score[i] /= removing[i] + o["epsilon"]
    if o["detector"] == "none":
        return response, delta, score, response
    candidates = [response[i] and delta[i] > o["min_delta_entropy"] for i in range(n)]
    chosen = [False] * n
    for scope in scopes(batch, o["scope"]):
        ranked = sorted((i for i in scope if candidates[i]), key=lambda i: (-score[i], i))
        k = quota(len(ranked), o["top_k_ratio"], o["quota"])
        keep = ranked[:k]
        if o["ties"] == "all" and k:
            keep = [i for i in ranked if score[i] >= score[ranked[k - 1]]]
        for i in keep:
            chosen[i] = True
    return chosen, delta, score, candidates


def outside(x, limit):
    return torch.zeros_like(x, dtype=torch.bool) if limit is None else x.abs() > limit


def clamp(x, limit):
    """Gradient 1 inside and on the limit, 0 beyond. torch.clamp itself changed sides on the limit between releases."""
    return x if limit is None else torch.where(outside(x, limit), limit * torch.sign(x.detach()), x)


def sampled_divergence(log_p, reference, o):
    """D of the realised token and whether a clamp was active."""
    d = log_p - reference
    active = torch.zeros_like(d, dtype=torch.bool)
    if o["estimator"] == "k1":
        value = d
    elif o["estimator"] == "abs":
        value = d.abs()
    elif o["estimator"] == "k2":
        value = d * d / 2
    elif o["estimator"] == "k3":
        x = -d
        active = outside(x, o["clamp_input"])
        x = clamp(x, o["clamp_input"])
        value = torch.exp(x) - x - 1
    return clamp(value, o["clamp_result"]), active | outside(value, o["clamp_result"])


def kl(log_p, log_q):
    """Σ p (log p − log q) over V; entries with p = 0 contribute nothing, to value and gradient."""
    live = ~log_p.isneginf()
    zero = torch.zeros_like(log_p)
    lp, lq = torch.where(live, log_p, zero), torch.where(live, log_q, zero)
    return torch.where(live, lp.exp() * (lp - lq), zero).sum(-1)


def divergence(log_a, log_r, o):
    if o["estimator"] == "full_kl":
        value = kl(log_a, log_r)
        return value + (value.clamp(min=0) - value).detach()
    zero = torch.zeros_like(log_a)
    live = ~(log_a.isneginf() & log_r.isneginf())
    finite_a = torch.where(live, log_a, zero)
    finite_r = torch.where(live, log_r, zero)
    log_m = torch.where(live, torch.logaddexp(finite_a, finite_r) - math.log(2), zero)
    return (kl(log_a, log_m) + kl(log_r, log_m)) / 2


def score(tensors, options):
    """Everything /v1/score says about a request: (tensors by wire name, scalars and diagnostics)."""
    o = resolve(options)
    batch = Batch(tensors, o)
    n = batch.tokens
    chosen, delta, token_score, candidates = perception(batch, o)
    if o["gate"] == "none":
        gate = batch.response.tolist()
    else:
        gate = [bool(batch.response[i]) and float(batch.advantages[i]) > o["gate_threshold"] for i in range(n)]
    mask = [c and g for c, g in zip(chosen, gate)]
    weight = torch.tensor(mask, dtype=torch.float64)

    full = o["estimator"] in FULL_VOCABULARY
    if full:
        leaves = {v: batch.logits[v].clone().requires_grad_() for v in VIEWS}
        used = {v: log_softmax(leaves[v] / o["temperature"]) for v in VIEWS}
    else:
        for v in VIEWS:
            if v not in batch.log_probs:
                logits = log_softmax(batch.logits[v] / o["temperature"])
                batch.log_probs[v] = logits.gather(-1, batch.ids.unsqueeze(-1)).squeeze(-1)
        leaves = {v: batch.log_probs[v].clone().requires_grad_() for v in VIEWS}
        used = dict(leaves)
    for v in o["stop_gradient"]:
        used[v] = used[v].detach()
    a, p, r = (used[v] for v in VIEWS)
    if full:
        to_preserving, to_removing = divergence(a, p, o), divergence(a, r, o)
        active = torch.zeros(n, dtype=torch.bool)
    else:
        to_preserving, first = sampled_divergence(a, p, o)
        to_removing, second = sampled_divergence(a, r, o)
        active = first | second
    margin = to_preserving - to_removing
    if o["loss"] == "infonce":
        c = torch.logaddexp(margin / o["tau"], torch.zeros_like(margin))
    else:
        c = margin
    numerator, denominator = aggregate(c, weight, batch, o)
    loss = numerator / denominator if denominator > 0 else numerator * 0
    grads = {v: torch.zeros_like(leaf) for v, leaf in leaves.items()}
    if loss.requires_grad and n:
        for (v, leaf), g in zip(leaves.items(), torch.autograd.grad(loss, leaves.values(), allow_unused=True)):
            if g is not None:
                grads[v] = g * o["grad_scale"]

    def shaped(values, dtype):
        return torch.as_tensor(values, dtype=dtype).reshape(batch.shape).contiguous()

    response = batch.response
    out = {
        "perception_mask": shaped(chosen, torch.uint8),
        "gate": shaped(gate, torch.uint8),
        "mask": shaped(mask, torch.uint8),
        "token_loss": shaped(torch.where(response, c.detach(), 0.0), torch.float64),
    }
    if o["detector"] == "entropy":
        out["delta_entropy"] = shaped(delta, torch.float64)
        out["perception_score"] = shaped(token_score, torch.float64)
    if full:
        rows = [i for i in range(n) if mask[i]]
        out["grad.rows"] = torch.tensor(rows, dtype=torch.int64)
        for v in VIEWS:
            out[f"grad.{v}.logits"] = grads[v][rows].contiguous()
    else:
        for v in VIEWS:
            out[f"grad.{v}.log_probs"] = shaped(grads[v], torch.float64)

    def count(start, end):
        inside = range(start, end)
        tokens = [i for i in inside if response[i]]
        gated = [i for i in inside if mask[i]]
        return {
            "tokens": len(tokens),
            "candidates": sum(candidates[i] for i in inside),
            "selected": sum(chosen[i] for i in inside),
            "gated": len(gated),
            "mean_delta_entropy": math.fsum(delta[i] for i in tokens) / len(tokens) if tokens else 0.0,
            "mean_margin": math.fsum(float(margin[i].detach()) for i in gated) / len(gated) if gated else 0.0,
            "clamped_fraction": sum(bool(active[i]) for i in gated) / len(gated) if gated else 0.0,
        }

    scalars = {
        "loss": float(loss.detach()),
        "weighted_loss": float(loss.detach()) * o["coefficient"],
        "loss_numerator": float(numerator.detach()),
        "loss_denominator": float(denominator),
        "diagnostics": dict(count(0, n), sequences=[count(s, e) for s, e in batch.rows]),
    }
    return out, scalars, dict(options=o, scores=token_score, delta=delta, candidates=candidates, batch=batch)


def aggregate(c, weight, batch, o):
    """Numerator (carries the graph) and denominator (a number) of the loss."""
    kept = torch.where(weight > 0, c, torch.zeros_like(c))
    if o["aggregation"] == "token-mean":
        return kept.sum(), float(weight.sum()) + 1e-8
    divisor = float(len(batch.rows) if o["global_batch_size"] is None else o["global_batch_size"])
    total = kept.sum() * 0
    for start, end in batch.rows:
        row = kept[start:end].sum()
        if o["aggregation"] == "seq-mean-token-mean":
            row = row / (weight[start:end].sum() + 1e-8)
        elif o["aggregation"] == "seq-mean-token-sum-norm":
            length = o["norm_length"] if o["norm_length"] is not None else batch.longest
            row = row / length if length else row
        total = total + row
    return total, divisor
