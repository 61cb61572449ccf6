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
