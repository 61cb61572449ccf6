"""The policy part of the objective from its formulas, in float64, gradients by autograd. Padded tensors, as libraries.py."""

import torch

from libraries import gradient

EPSILON = 1e-8


def aggregate(losses, mask, o):
    """(numerator, denominator)."""
    rows, counts = (torch.where(mask.bool(), losses, 0.0)).sum(-1), mask.sum(-1)
    mode = o["policy_aggregation"]
    if mode == "token-mean":
        return rows.sum(), counts.sum().item() + EPSILON
    if mode == "token-sum":
        return rows.sum(), float(o["policy_denominator"])
    if mode == "seq-mean-token-mean":
        rows = rows / (counts + EPSILON)
    if mode == "seq-mean-token-sum-norm":
        rows = rows / mask.shape[-1]
    return rows.sum(), float(mask.shape[0])


def policy_tokens(log_probs, batch, o):
    """([B,T] losses, share of clipped tokens)."""
    mask, advantages = batch["mask"], batch["advantages"]
    d = log_probs - batch["old"]
    if o["importance_level"] == "token":
        passing = d.detach().abs() <= 20
        ratio = torch.where(passing, d, d.detach().clamp(-20, 20)).exp()
    else:
        mean = (d.detach() * mask).sum(-1, keepdim=True) / mask.sum(-1, keepdim=True).clamp(min=1)
        own = log_probs - log_probs.detach()
        ratio = torch.where(mean <= 10, own + mean, 10 + 0 * own).exp()
    bounded = ratio.clamp(1 - o["clip_low"], 1 + o["clip_high"])
    free, clipped = -advantages * ratio, -advantages * bounded
    is_clipped = (clipped > free) & mask.bool()
    losses = torch.where(is_clipped, clipped, free)
    if o["dual_clip"]:
        limit = -advantages * o["dual_clip"]
        losses = torch.where((advantages < 0) & (losses > limit), limit, losses)
    if o["policy_tokens"] == "perception":
        losses = losses * batch["perception"]
    return losses, (is_clipped.sum() / mask.sum().clamp(min=1)).item()


def kl_tokens(log_probs, batch, o):
    d = log_probs - batch["reference"]
    if o["kl_estimator"] == "k1":
        return d
    k2 = d * d / 2
    if o["kl_estimator"] == "k2":
        return k2
    passing = d.detach().abs() <= 20
    x = torch.where(passing, -d, (-d.detach()).clamp(-20, 20))
    k3 = torch.expm1(x) - x
    k3 = torch.where(k3.detach() > 10, 10.0, k3)
    return k2 - k2.detach() + k3.detach() if o["kl_estimator"] == "k3+" else k3


def oracle(batch, o):
    log_probs = batch["log_probs"].clone().requires_grad_()
    total, found = 0 * log_probs.sum(), {}

    def take(name, losses):
        numerator, denominator = aggregate(losses, batch["mask"], o)
        loss = numerator / denominator if denominator else numerator * 0
        found.update({name: loss.item(), name + "_numerator": numerator.item(), name + "_denominator": denominator})
        return loss

    if o["policy"] == "ppo":
        losses, found["clip_fraction"] = policy_tokens(log_probs, batch, o)
        total = total + take("policy_loss", losses)
    if "reference" in batch:
        total = total + o["kl_coefficient"] * take("kl", kl_tokens(log_probs, batch, o))
    return found | {"objective": total.item(), "gradient": gradient(total, log_probs)}
