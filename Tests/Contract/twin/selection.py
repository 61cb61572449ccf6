"""Which tokens are chosen, and which the gate lets through."""

import math

import numpy as np

from .divergences import dependency


def turns(response, start, end, scope):
    """Slices of one row over which a quota is taken."""
    if scope == "sequence":
        return [np.arange(start, end)]
    inside = np.flatnonzero(response[start:end]) + start
    return np.split(inside, np.flatnonzero(np.diff(inside) > 1) + 1)


def best(score, candidates, response, rows, o):
    """The k best candidates of each turn."""
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
    return chosen


def select(original, removing, response, rows, o):
    """perception mask, candidates, ΔH, score over flat tokens, by entropies."""
    delta = np.where(response, removing - original, 0)
    score = np.maximum(delta, 0)
    if o["score"] == "relative":
        score = np.divide(score, removing + o["epsilon"], where=response, out=np.zeros_like(score))
    candidates = response & (delta > o["min_delta_entropy"])
    return best(score, candidates, response, rows, o), candidates, delta, score


def detect(layout, o):
    """(perception mask, candidates, outputs by wire name) with the request's detector."""
    response = layout.viewed
    if o["detector"] == "none":
        return response, response, {}
    if o["detector"] == "given":
        kept = response & np.asarray(layout.tensors["perception_mask"]).reshape(layout.tokens).astype(bool)
        return kept, kept, {}
    if o["detector"] == "entropy":
        found = select(layout.entropy("original"), layout.entropy("removing"), response, layout.rows, o)
        return found[0], found[1], {"delta_entropy": found[2], "perception_score": found[3]}
    score, candidates = np.where(response, dependency(layout, o), 0), response
    if o["candidates"] == "rising":
        anchor = layout.realised("old" if layout.given("old") else "original")
        candidates = response & (anchor > layout.realised("removing"))
    return best(score, candidates, response, layout.rows, o), candidates, {"perception_score": score}


def gate(layout, o):
    if o["gate"] == "none":
        return layout.response
    if o["gate"] == "reward":
        return layout.response & (layout.spread(layout.tensors["rewards"]) >= o["gate_threshold"])
    return layout.response & (layout.token_advantages() > o["gate_threshold"])
