"""What published programs do, restated apart from the method, so that a preset is held against its source.

CPPO: what the two programs select, restated in numpy to check the float64 method against them.

Both work on Float32 entropies. verl's recipe: one threshold for each row, the k-th largest relative score with
k = ⌊n·p⌋ in Float32 (at least 1), and everything at or above it is kept. AReaL's engine: for each run of response
tokens of one flat sequence the ⌈p·n⌉ best, the product taken in double precision.
Neither keeps the response mask out of verl's ranking; compare verl only where all tokens are response tokens.

PAPO (arXiv 2507.06448), VPPO (2510.09285) and BiPS (2512.22120) work on [B, T] log-probabilities. Their k3 is written for
the masked image as the "reference" of the original: exp(x) − x − 1 with x = masked − original, x within ±20, the result
within ±10. masked_mean divides by the sum of the mask + 1e-8.
"""

import math

import numpy as np
import torch


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


def low_variance_kl(log_probs, reference):
    x = torch.clamp(reference - log_probs, -20.0, 20.0)
    return torch.clamp(torch.exp(x) - x - 1, -10.0, 10.0)


def masked_mean(values, mask):
    return (values * mask).sum() / (mask.sum() + 1e-8)


def papo(original, masked, response, gamma, eta, recompute):
    """What PAPO adds to the policy loss: −γ · perception KL, η · each of the two "entropy" terms."""
    if not recompute:
        masked = masked.detach()
    added = -gamma * masked_mean(low_variance_kl(original, masked), response)
    for log_probs in (masked, original):
        added = added + eta * -masked_mean(log_probs, response)
    return added


def bips_separation(original, removing, response):
    """− .02 · min(mean, .2): the masked view is far away long enough."""
    return -0.02 * torch.clamp(masked_mean(low_variance_kl(original, removing.detach()), response), max=0.2)


def bips_consistency(original, preserving, response, rewards):
    """+ .01 · min(mean over the rows of reward 1, 1)."""
    right = (rewards >= 0.5).to(response.dtype).unsqueeze(1)
    kld = low_variance_kl(original, preserving.detach())
    return 0.01 * torch.clamp(masked_mean(kld, response * right), max=1.0)


def vppo_mask(old, masked, response):
    """Of each row the ⌈.4 · tokens⌉ of the largest dependency."""
    value = low_variance_kl(old, masked)
    value[response == 0] = -torch.inf
    kept = torch.zeros_like(response)
    for row in range(len(value)):
        tokens = int(response[row].sum())
        order = torch.sort(value[row], descending=True, stable=True).indices
        kept[row, order[: math.ceil(tokens * 0.4)]] = 1
    return kept * response


def vppo_scale(old, masked, response, floor=0.9):
    """Advantage scale of each row; the least and the most over the rows at hand, and so the mean."""
    tokens = response.sum(1)
    score = (low_variance_kl(old, masked) * response).sum(1) / tokens.clamp(min=1)
    some = tokens > 0
    scale = torch.ones_like(score)
    if some.sum() > 1 and score[some].max() - score[some].min() > 1e-6:
        share = (score[some] - score[some].min()) / (score[some].max() - score[some].min())
        share = share.clamp(0.0, 1.0)
        most = floor + (1 - floor) / (share.mean() + 1e-8)
        scale[some] = floor + share * (most - floor)
    return scale


def vppo_penalty(original, response):
    return 0.06 * -masked_mean(original, response)
