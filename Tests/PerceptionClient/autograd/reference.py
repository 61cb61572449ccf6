"""The loss in PyTorch, in the obvious way, for the presets cppo-verl and cppo-areal: what gradients are compared with."""

import torch


def k3(a, ref):
    d = (ref - a).clamp(-20, 20)
    return (d.exp() - d - 1).clamp(-10, 10)


def k1(a, ref):
    return (a - ref).clamp(-10, 10)


def cppo(log_probs, mask, tau=0.1, divergence=k3, denominator=None):
    """Mean (or sum / denominator) over the mask of softplus((D(o‖p) − D(o‖n)) / tau)."""
    o, p, n = (log_probs[v].double() for v in ("original", "preserving", "removing"))
    counts = mask.bool()
    m = torch.where(counts, divergence(o, p) - divergence(o, n), 0)
    c = torch.where(counts, torch.nn.functional.softplus(m / tau), 0)
    return c.sum() / (counts.sum() + 1e-8 if denominator is None else denominator)


def leaves(batch, dtype=torch.float32):
    """Log-probabilities that want gradients, and everything else as tensors."""
    log_probs = {v: torch.tensor(x).to(dtype).requires_grad_() for v, x in batch["log_probs"].items()}
    rest = {
        "entropy": {v: torch.tensor(x) for v, x in batch["entropy"].items()},
        "response_mask": torch.tensor(batch["response_mask"]),
        "advantages": torch.tensor(batch["advantages"]),
    }
    return log_probs, rest
