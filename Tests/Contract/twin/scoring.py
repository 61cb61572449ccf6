"""The reply of /v1/score: masks, loss, objective and their slopes in closed form."""

import numpy as np

from .divergences import dependency, distance
from .layout import Layout
from .options import FULL_VOCABULARY, VIEWS, resolve
from .reporting import counts, of_request
from .selection import detect, gate
from .shaping import advantage_scale


def row_weights(mask, layout, o):
    """Weight of each token in the numerator, and the denominator."""
    weight = mask.astype(np.float64)
    if o["aggregation"] == "token-mean":
        return weight, weight.sum() + 1e-8
    if o["aggregation"] == "token-sum":
        return weight, float(o["denominator"])
    for start, end in layout.rows:
        if o["aggregation"] == "seq-mean-token-mean":
            weight[start:end] /= weight[start:end].sum() + 1e-8
        elif o["aggregation"] == "seq-mean-token-sum-norm" and end > start:
            weight[start:end] /= o["norm_length"] or layout.longest
    return weight, float(o["global_batch_size"] or len(layout.rows))


class Contrast:
    """m = Σ weight · D(anchor ‖ reference), ∂m/∂(log-prob or logits of each view in a term), where a clamp acts."""

    def __init__(self, layout, o):
        self.value, self.active = np.zeros(layout.tokens), np.zeros(layout.tokens, bool)
        self.slopes = {}
        for term in o["terms"]:
            weight = term.get("weight", 1)
            value, *slopes, active = distance(layout, term["anchor"], term["reference"], o)
            self.value = self.value + weight * value
            self.active = self.active | active
            for view, slope in zip((term["anchor"], term["reference"]), slopes):
                self.slopes[view] = self.slopes.get(view, 0) + weight * slope


def shape(value, o):
    """(token loss, its slope)"""
    if o["loss"] == "margin":
        return value, np.ones(value.shape)
    return np.logaddexp(value / o["tau"], 0), np.exp(-np.logaddexp(0, -value / o["tau"])) / o["tau"]


def score(tensors, options):
    """Flat arrays over tokens by wire name, and the scalars."""
    out, scalars = everything(tensors, options)
    return returned(out, resolve(options)), scalars


def produced(tensors, options):
    """Names of all tensors that a request can ask for."""
    return set(everything(tensors, options)[0])


def everything(tensors, options):
    o = resolve(options)
    layout = Layout(tensors, o["temperature"])
    chosen, candidates, out = detect(layout, o)
    passed = gate(layout, o)
    mask = chosen & passed
    out |= {"perception_mask": chosen, "gate": passed, "mask": mask}

    contrast = Contrast(layout, o)
    c, outer = shape(contrast.value, o)
    weight, denominator = row_weights(mask, layout, o) if o["terms"] else (np.zeros(layout.tokens), 1.0)
    numerator = float((np.where(mask, c, 0) * weight).sum()) if o["terms"] else 0.0
    loss = numerator / denominator if denominator else 0.0
    outer = np.where(mask, outer * weight, 0) / (denominator or 1)
    if o["loss_cap"] is not None and abs(loss) > o["loss_cap"]:
        loss, outer = float(np.copysign(o["loss_cap"], loss)), np.zeros(layout.tokens)
    entropies = {v: float(-layout.realised(v)[layout.mask(v)].sum()) for v in o["entropy_coefficients"]}
    responded = {v: int(layout.mask(v).sum()) + 1e-8 for v in VIEWS}
    objective = o["coefficient"] * loss + sum(
        coefficient * entropies[v] / responded[v] for v, coefficient in o["entropy_coefficients"].items())

    if o["terms"]:
        out["token_loss"] = np.where(layout.viewed, c, 0)
        out["token_reward"] = np.where(mask, -o["coefficient"] * contrast.value, 0)
    out |= gradients(layout, contrast, outer, responded, mask, o)
    out |= {f"weights.{v}": -out[f"grad.{v}.log_probs"] for v in VIEWS if f"grad.{v}.log_probs" in out}
    parts = (layout, chosen, candidates, mask, out.get("delta_entropy"), contrast)
    diagnostics = counts(0, layout.tokens, *parts) | {"sequences": [counts(s, e, *parts) for s, e in layout.rows]}
    if o["advantage_shaping"] == "dependency":
        out["advantage_scale"], diagnostics["dependency"] = advantage_scale(layout, dependency(layout, o), o)
    diagnostics |= of_request(layout, o)
    scalars = {
        "loss": loss, "weighted_loss": loss * o["coefficient"], "loss_numerator": numerator,
        "loss_denominator": denominator, "objective": objective, "diagnostics": diagnostics,
    }
    if entropies:
        scalars |= {
            "entropy_loss": {v: total / responded[v] for v, total in entropies.items()},
            "entropy_loss_numerator": entropies, "entropy_loss_denominator": {v: responded[v] for v in entropies}}
    return out, scalars


def gradients(layout, contrast, outer, responded, mask, o):
    """Slopes of the loss or the objective, of the views that take part in it, times grad_scale."""
    whole = o["gradient_of"] == "objective"
    full = o["estimator"] in FULL_VOCABULARY
    outer = outer * o["grad_scale"] * (o["coefficient"] if whole else 1)
    entropic = o["entropy_coefficients"] if whole else {}
    rows = layout.response if entropic else mask
    out = {}
    for view in VIEWS:
        if view not in contrast.slopes and view not in entropic:
            continue
        moves = 0.0 if view in o["stop_gradient"] else 1.0
        surprise = np.where(layout.mask(view), -entropic.get(view, 0.0) / responded[view], 0) * o["grad_scale"] * moves
        slope = contrast.slopes.get(view, np.zeros(layout.tokens))
        into_logits = None
        if full:
            if view in contrast.slopes:
                into_logits = np.where(mask[:, None], slope * outer[:, None], 0) * moves
            if view in entropic and layout.given(view):
                out[f"grad.{view}.log_probs"] = surprise
            elif view in entropic:
                into_logits = (0 if into_logits is None else into_logits) + through(layout, view, surprise)
        else:
            slope = np.where(mask, slope * outer, 0) * moves + surprise
            out[f"grad.{view}.log_probs"] = slope
            if view in layout.log_p and not layout.given(view):
                into_logits = through(layout, view, slope)
        if into_logits is not None:
            out[f"grad.{view}.logits"] = into_logits[rows]
            out["grad.rows"] = np.flatnonzero(rows)
    return out


def through(layout, view, slope):
    """From the realised token's log-probability into raw logits: (1[v = token] − p) / temperature."""
    into = -np.exp(layout.log_p[view])
    into[np.arange(layout.tokens), layout.ids] += 1
    return into * slope[:, None] / layout.temperature


def returned(out, o):
    """What `return` names, or else all but what must be named."""
    full = o["estimator"] in FULL_VOCABULARY
    must_be_named = {
        k for k in out if k.startswith(("weights.", "token_reward"))
        or not full and (k.endswith(".logits") or k == "grad.rows")}
    if o.get("return") is None:
        return {k: v for k, v in out.items() if k not in must_be_named}
    kept = {k for k in out if k in o["return"]}
    if "grad" in o["return"]:
        kept |= {k for k in out if k.startswith("grad.")} - must_be_named
    if "weights" in o["return"]:
        kept |= {k for k in out if k.startswith("weights.")}
    if any(k.startswith("grad.") and k.endswith(".logits") for k in kept):
        kept.add("grad.rows")
    return {k: out[k] for k in out if k in kept}
