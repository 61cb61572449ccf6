"""Which tokens depend on the picture: candidates, their scores and quotas, in Python loops."""

import math

import numpy as np


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
            if batch.viewed[i]:
                run.append(i)
            elif kind == "segment":
                yield run
                run = []
        yield run


class Selection:
    """chosen, candidates: lists over N tokens, 0 outside the response; delta and score likewise, None where not made."""

    def __init__(self, chosen, candidates, delta=None, score=None):
        self.chosen, self.candidates, self.delta, self.score = chosen, candidates, delta, score


def by_entropy(batch, o):
    """(candidates, ΔH, score)"""
    response = batch.viewed.tolist()
    original, removing = batch.entropy_of("original").tolist(), batch.entropy_of("removing").tolist()
    delta, score = [0.0] * batch.tokens, [0.0] * batch.tokens
    for i in range(batch.tokens):
        if response[i]:
            delta[i] = removing[i] - original[i]
            score[i] = max(delta[i], 0.0)
            if o["score"] == "relative":
                score[i] /= removing[i] + o["epsilon"]
    return [response[i] and delta[i] > o["min_delta_entropy"] for i in range(batch.tokens)], delta, score


def by_divergence(batch, policy, o):
    """(candidates, None, score)"""
    response = batch.viewed.tolist()
    values = policy.dependency().tolist()
    score = [values[i] if response[i] else 0.0 for i in range(batch.tokens)]
    if o["candidates"] == "all":
        return response, None, score
    anchor = policy.realised("old" if "old" in policy.given else "original").tolist()
    removing = policy.realised("removing").tolist()
    return [response[i] and anchor[i] > removing[i] for i in range(batch.tokens)], None, score


def perception(batch, policy, o):
    response = batch.viewed.tolist()
    if o["detector"] == "none":
        return Selection(response, response)
    if o["detector"] == "given":
        kept = [response[i] and bool(batch.given_mask[i]) for i in range(batch.tokens)]
        return Selection(kept, kept)
    measure = by_entropy(batch, o) if o["detector"] == "entropy" else by_divergence(batch, policy, o)
    candidates, delta, score = measure
    chosen = [False] * batch.tokens
    for scope in scopes(batch, o["scope"]):
        ranked = sorted((i for i in scope if candidates[i]), key=lambda i: (-score[i], i))
        k = quota(len(ranked), o["top_k_ratio"], o["quota"])
        keep = ranked[:k]
        if o["ties"] == "all" and k:
            keep = [i for i in ranked if score[i] >= score[ranked[k - 1]]]
        for i in keep:
            chosen[i] = True
    return Selection(chosen, candidates, delta, score)


def gate(batch, o):
    """Response tokens that the gate lets through."""
    if o["gate"] == "none":
        return batch.response.tolist()
    if o["gate"] == "reward":
        rewards = batch.per_row(batch.tensors["rewards"])
        passed = [float(r) >= o["gate_threshold"] for r in rewards]
    else:
        passed = [float(a) > o["gate_threshold"] for a in batch.advantages]
    return [bool(r) and p for r, p in zip(batch.response, passed)]
