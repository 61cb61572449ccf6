"""What the two published CPPO programs select, restated in numpy to check the float64 method against them.

Both work on Float32 entropies. verl's recipe: one threshold for each row, the k-th largest relative score with
k = ⌊n·p⌋ in Float32 (at least 1), and everything at or above it is kept. AReaL's engine: for each run of response
tokens of one flat sequence the ⌈p·n⌉ best, the product taken in double precision.
Neither keeps the response mask out of verl's ranking; compare verl only where all tokens are response tokens.
"""

import math

import numpy as np


def relative_scores(original, removing):
    delta = removing - original
    return delta, np.maximum(delta, np.float32(0)) / (removing + np.float32(1e-6))


def verl_row(original, removing, ratio):
    delta, score = relative_scores(original, removing)
    positive = np.flatnonzero(delta > 0)
    if positive.size == 0:
        return np.zeros(original.shape, bool)
    k = int(max(np.float32(positive.size) * np.float32(ratio), np.float32(1)))
    threshold = np.partition(score[positive], positive.size - k)[positive.size - k]
    return (score >= threshold) & (delta > 0)


def areal_row(original, removing, response, ratio):
    delta, score = relative_scores(original, removing)
    chosen = np.zeros(original.shape, bool)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], response.astype(np.int8), [0]))))
    for start, end in edges.reshape(-1, 2):
        candidates = [i for i in range(start, end) if delta[i] > 0]
        best = sorted(candidates, key=lambda i: -score[i])[: math.ceil(ratio * len(candidates))]
        chosen[best] = True
    return chosen
