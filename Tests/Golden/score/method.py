"""The method in float64 torch, written from the formulas alone and in the slowest obvious way.

It shares nothing with the server: gradients come from autograd, selections from Python loops.
Everything is flat: N tokens, rows as (start, end). Padded [B, T] input is the special case of equal rows.
"""

import math

import torch

from batch import VIEWS, Batch, log_softmax
from divergence import divergence, sampled_divergence
from selection import perception

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
