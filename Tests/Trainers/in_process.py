"""The perception losses in plain PyTorch: what parameters are compared with after the same steps without a server.

Every loss is written out for itself, as its paper has it, in the type of its inputs. [B,T] throughout; `log_probs` and
`entropy` by view; `mask`: the response. Each function returns what is added to the policy loss.
"""

import math

import reference
import torch
from reference import k3


def token_mean(values, mask):
    return torch.where(mask, values, 0).sum() / (mask.sum() + 1e-8)


def rising_tokens(entropy, mask, share=0.5):
    """The share of response tokens of each row whose entropy rises most without the picture, ties included [B,T]."""
    before, after = entropy["original"].float(), entropy["removing"].float()
    rise = (after - before).clamp(min=0)
    candidates = mask & (after > before)
    score = rise / (after + 1e-6)
    chosen = torch.zeros_like(mask)
    for row in range(len(mask)):
        here = candidates[row]
        count = int(here.sum())
        if count:
            k = max(1, math.floor(torch.tensor(float(count), dtype=torch.float32) * torch.tensor(share)))
            least = score[row][here].sort(descending=True).values[k - 1]
            chosen[row] = here & (score[row] >= least)
    return chosen


def cppo(log_probs, entropy, mask, advantages, *, coefficient=0.01):
    """Preset cppo-verl: softplus((D(o‖p) − D(o‖n)) / τ) over the chosen tokens of rows with a positive advantage."""
    wide = advantages if advantages.dim() == 2 else advantages[:, None]
    chosen = rising_tokens({v: h.detach() for v, h in entropy.items()}, mask) & (wide > 0)
    return coefficient * reference.cppo(log_probs, chosen)


def rising_tokens_of_turns(entropy, mask, share=0.5):
    """The same share, rounded up, of each run of response tokens, by the relative rise; the first ones of ties [B,T]."""
    before, after = entropy["original"].float(), entropy["removing"].float()
    score = (after - before).clamp(min=0) / (after + 1e-6)
    candidates = mask & (after > before)
    chosen = torch.zeros_like(mask)
    for row in range(len(mask)):
        turn = []
        for t in [*range(mask.shape[1]), None]:
            if t is not None and mask[row, t]:
                turn.append(t)
                continue
            rising = sorted((t for t in turn if candidates[row, t]), key=lambda t: (-score[row, t].item(), t))
            for best in rising[: math.ceil(len(rising) * share)]:
                chosen[row, best] = True
            turn = []
    return chosen


def cppo_areal(log_probs, entropy, mask, advantages, *, coefficient=0.01):
    """Preset cppo-areal: k1 clamped to ±10, tokens chosen in each turn."""
    wide = advantages if advantages.dim() == 2 else advantages[:, None]
    chosen = rising_tokens_of_turns({v: h.detach() for v, h in entropy.items()}, mask) & (wide > 0)
    return coefficient * reference.cppo(log_probs, chosen, divergence=reference.k1)


def papo(log_probs, mask, *, coefficient=0.02, eta=0.05):
    """Preset papo-g: −γ · mean D(o‖n), n constant, and η · mean −log-probability of both views, n's without gradient."""
    o, n = (torch.where(mask, log_probs[v], 0) for v in ("original", "removing"))
    n = n.detach()
    return -coefficient * token_mean(k3(o, n), mask) + eta * (token_mean(-o, mask) + token_mean(-n, mask))


def vppo(log_probs, mask, *, eta=0.06):
    """Preset vppo: the entropy penalty; tokens and advantages are `vppo_shaping`'s."""
    return eta * token_mean(-torch.where(mask, log_probs["original"], 0), mask)


def vppo_shaping(old, removing, mask, *, share=0.4, floor=0.9):
    """Tokens [B,T] whose policy loss counts, and the factor [B] of each row's advantage, from the old policy's passes."""
    dependency = torch.where(mask, k3(old.float(), removing.float()), 0)
    chosen = torch.zeros_like(mask)
    for row in range(len(mask)):
        here = mask[row].nonzero()[:, 0]
        k = math.ceil(len(here) * share)
        best = torch.sort(dependency[row][here], descending=True, stable=True).indices[:k]
        chosen[row][here[best]] = True
    lengths = mask.sum(1)
    filled = lengths > 0
    means = dependency.sum(1) / lengths.clamp(min=1)
    low, high = means[filled].min(), means[filled].max()
    if high - low <= 1e-6:
        return chosen, torch.ones_like(means)
    place = ((means - low) / (high - low)).clamp(0, 1)
    scale = floor + place * (1 - floor) / (place[filled].mean() + 1e-8)
    return chosen, torch.where(filled, scale, 1)


def bips_consistency(log_probs, mask, rewards, *, coefficient=0.01, cap=1.0):
    """Preset bips-consistency: mean D(o‖p) over rows with a reward of .5 or more, p constant, at most `cap`."""
    o, p = (torch.where(mask, log_probs[v], 0) for v in ("original", "preserving"))
    return coefficient * token_mean(k3(o, p.detach()), mask & (rewards >= 0.5)[:, None]).clamp(-cap, cap)


def bips_separation(log_probs, mask, *, coefficient=0.02, cap=0.2):
    """Preset bips-separation: −mean D(o‖n), n constant, its amount at most `cap`."""
    o, n = (torch.where(mask, log_probs[v], 0) for v in ("original", "removing"))
    return coefficient * (-token_mean(k3(o, n.detach()), mask)).clamp(-cap, cap)


def loss(preset, log_probs, entropy, mask, advantages, rewards=None, **coefficient):
    """What a preset adds to the policy loss, by its name; `coefficient=` in place of its own."""
    mask = mask.bool()
    if preset == "cppo-verl":
        return cppo(log_probs, entropy, mask, advantages, **coefficient)
    if preset == "cppo-areal":
        return cppo_areal(log_probs, entropy, mask, advantages)
    if preset == "papo-g":
        return papo(log_probs, mask, **coefficient)
    if preset == "vppo":
        return vppo(log_probs, mask)
    if preset == "bips-consistency":
        return bips_consistency(log_probs, mask, rewards, **coefficient)
    if preset == "bips-separation":
        return bips_separation(log_probs, mask, **coefficient)
    raise ValueError(f"no loss {preset!r} here")
