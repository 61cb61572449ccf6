"""The method in float64 torch, written from the formulas alone and in the slowest obvious way.

It shares nothing with the server: gradients come from autograd, selections from Python loops.
Everything is flat: N tokens, rows as (start, end). Padded [B, T] input is the special case of equal rows.
"""

import torch

import report
from batch import VIEWS, Batch
from divergence import clamp
from options import resolve
from policy import Policy
from selection import gate, perception
from shaping import advantage_scale


def score(tensors, options):
    """Everything /v1/score says about a request: (tensors by wire name, scalars and diagnostics, what led there)."""
    o = resolve(options)
    batch = Batch(tensors, o)
    policy = Policy(batch, o)
    selection = perception(batch, policy, o)
    passed = gate(batch, o)
    mask = [c and g for c, g in zip(selection.chosen, passed)]
    weight = torch.tensor(mask, dtype=torch.float64)

    contrast = torch.zeros(batch.tokens, dtype=torch.float64)
    parts = torch.zeros_like(contrast)
    active = torch.zeros(batch.tokens, dtype=torch.bool)
    for t in o["terms"]:
        value, clamped = policy.distance(t["anchor"], t["reference"])
        contrast = contrast + t["weight"] * value
        parts = parts + abs(t["weight"]) * value.detach().abs()
        active = active | clamped
    c = contrast
    if o["loss"] == "infonce":
        c = torch.logaddexp(contrast / o["tau"], torch.zeros_like(contrast))
    if o["terms"]:
        numerator, denominator = aggregate(c, weight, batch, o)
    else:
        numerator, denominator = torch.zeros((), dtype=torch.float64), 1.0
    magnitude = 0.0
    if o["terms"]:
        parts = parts if o["loss"] == "margin" else c.detach().abs() + parts / o["tau"]
        magnitude = float(aggregate(parts, weight, batch, o)[0]) / (denominator or 1.0)
    aggregated = numerator / denominator if denominator > 0 else numerator * 0
    loss = clamp(aggregated, o["loss_cap"])
    entropies, objective = {}, o["coefficient"] * loss
    for view, coefficient in o["entropy_coefficients"].items():
        entropies[view] = surprisal(policy, view, batch, o)
        objective = objective + coefficient * entropies[view][0] / entropies[view][1]

    def shaped(values, dtype):
        return torch.as_tensor(values, dtype=dtype).reshape(batch.shape).contiguous()

    out = {
        "perception_mask": shaped(selection.chosen, torch.uint8),
        "gate": shaped(passed, torch.uint8),
        "mask": shaped(mask, torch.uint8),
    }
    if o["terms"]:
        out["token_loss"] = shaped(torch.where(batch.viewed, c.detach(), 0.0), torch.float64)
    if selection.delta is not None:
        out["delta_entropy"] = shaped(selection.delta, torch.float64)
    if selection.score is not None:
        out["perception_score"] = shaped(selection.score, torch.float64)
    for name, values in gradients(policy, loss, objective, mask, batch, o).items():
        out[name] = values if name == "grad.rows" or name.endswith(".logits") else shaped(values, torch.float64)
    for view in VIEWS:
        if f"grad.{view}.log_probs" in out:
            out[f"weights.{view}"] = -out[f"grad.{view}.log_probs"]
    if o["terms"]:
        reward = torch.where(weight > 0, -o["coefficient"] * contrast.detach(), 0.0)
        out["token_reward"] = shaped(reward, torch.float64)
    dependency = None
    if o["advantage_shaping"] == "dependency":
        out["advantage_scale"], dependency = advantage_scale(batch, policy.dependency(), o)

    counted = (batch, selection, mask, contrast.detach(), active)
    diagnostics = report.count(*counted, 0, batch.tokens) | report.of_request(batch, policy, o)
    diagnostics["sequences"] = [report.count(*counted, start, end) for start, end in batch.rows]
    if o["advantage_shaping"] == "dependency":
        diagnostics["dependency"] = dependency
    scalars = {
        "loss": float(loss.detach()),
        "weighted_loss": float(loss.detach()) * o["coefficient"],
        "loss_numerator": float(numerator.detach()),
        "loss_denominator": float(denominator),
        "objective": float(objective.detach()),
        "diagnostics": diagnostics,
    }
    if entropies:
        scalars["entropy_loss"] = {v: float(n.detach()) / d for v, (n, d) in entropies.items()}
        scalars["entropy_loss_numerator"] = {v: float(n.detach()) for v, (n, _) in entropies.items()}
        scalars["entropy_loss_denominator"] = {v: d for v, (_, d) in entropies.items()}
    info = dict(options=o, selection=selection, batch=batch, policy=policy, aggregate=float(aggregated.detach()))
    info["magnitude"] = magnitude
    return returned(out, o), scalars, info


def aggregate(c, weight, batch, o):
    """Numerator (carries the graph) and denominator (a number) of the loss."""
    kept = torch.where(weight > 0, c, torch.zeros_like(c))
    if o["aggregation"] == "token-mean":
        return kept.sum(), float(weight.sum()) + 1e-8
    if o["aggregation"] == "token-sum":
        return kept.sum(), float(o["denominator"])
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


def surprisal(policy, view, batch, o):
    """Σ −log_prob over the response of rows that have the view (carries the graph unless the view is stopped) and its denominator."""
    log_p = policy.realised(view)
    if view in o["stop_gradient"]:
        log_p = log_p.detach()
    inside = batch.said_of(view)
    kept = torch.where(inside, -log_p, torch.zeros_like(log_p))
    return kept.sum(), int(inside.sum()) + 1e-8


def gradients(policy, loss, objective, mask, batch, o):
    """Flat gradients by wire name, of the views that take part in what is differentiated."""
    entropic = o["gradient_of"] == "objective" and bool(o["entropy_coefficients"])
    in_terms = {view for t in o["terms"] for view in (t["anchor"], t["reference"])}
    in_entropies = set(o["entropy_coefficients"]) if entropic else set()
    target = objective if o["gradient_of"] == "objective" else loss

    def slope(leaf):
        found = None
        if target.requires_grad and batch.tokens:
            (found,) = torch.autograd.grad(target, [leaf], allow_unused=True, retain_graph=True)
        return (torch.zeros_like(leaf) if found is None else found) * o["grad_scale"]

    rows = [i for i in range(batch.tokens) if (batch.response[i] if entropic else mask[i])]
    out = {}
    for view in VIEWS:
        if view not in in_terms | in_entropies:
            continue
        if not o["full"]:
            out[f"grad.{view}.log_probs"] = slope(policy.realised(view))
        elif view in in_entropies and view in policy.given:
            out[f"grad.{view}.log_probs"] = slope(policy.given[view])
        through = view not in policy.given or (o["full"] and view in in_terms)
        if through and view in policy.logits:
            out[f"grad.{view}.logits"] = slope(policy.logits[view])[rows].contiguous()
            out["grad.rows"] = torch.tensor(rows, dtype=torch.int64)
    return out


def returned(out, o):
    """What `return` names, or else all but what must be named."""
    def named(name):
        return name.startswith(("weights.", "token_reward")) or (
            not o["full"] and (name.endswith(".logits") or name == "grad.rows"))

    asked = o.get("return")
    if asked is None:
        return {k: v for k, v in out.items() if not named(k)}
    wanted = set(asked)
    wanted |= {k for k in out if k.startswith("weights.") and "weights" in wanted}
    wanted |= {k for k in out if k.startswith("grad.") and "grad" in wanted and not named(k)}
    if any(k.startswith("grad.") and k.endswith(".logits") for k in wanted & set(out)):
        wanted.add("grad.rows")
    return {k: v for k, v in out.items() if k in wanted}
