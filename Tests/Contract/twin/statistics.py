"""Rows of logits."""

import numpy as np


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
