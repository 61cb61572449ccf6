"""Holds a request scored with a preset of the field against the published formula, value and gradients."""

import torch

import references

PAPO = {"papo-g": (0.02, 0.05, False), "papo-d": (0.01, 0.03, False), "papo-recompute": (0.02, 0.05, True)}


def matrix(batch, values, dtype=torch.float64):
    """[B, longest] of flat values: what the programs have, with zeros behind each row."""
    padded = torch.zeros(len(batch.rows), batch.longest, dtype=dtype)
    for b, (start, end) in enumerate(batch.rows):
        padded[b, : end - start] = values[start:end]
    return padded


def flat(batch, padded):
    parts = [padded[b, : end - start] for b, (start, end) in enumerate(batch.rows)]
    return torch.cat(parts) if parts else torch.zeros(0, dtype=padded.dtype)


def objective(preset, views, response, batch):
    if preset in PAPO:
        return references.papo(views["original"], views["removing"], response, *PAPO[preset])
    if preset == "vppo":
        return references.vppo_penalty(views["original"], response)
    if preset == "bips-separation":
        return references.bips_separation(views["original"], views["removing"], response)
    rewards = batch.tensors["rewards"].double()
    return references.bips_consistency(views["original"], views["preserving"], response, rewards)


def check(name, options, info, out, scalars):
    """The preset's name when the request uses it as published from log-probabilities, else None."""
    preset, batch, policy = options.get("preset"), info["batch"], info["policy"]
    family = (*PAPO, "vppo", "bips-consistency", "bips-separation")
    if preset not in family or set(options) - {"preset"} or batch.logits:
        return None
    response = matrix(batch, batch.response.double())
    views = {v: matrix(batch, t.detach()).requires_grad_() for v, t in policy.given.items()}
    value = objective(preset, views, response, batch)
    same(name, scalars["objective"], float(value.detach()))
    bips = preset.startswith("bips")
    scale = info["options"]["coefficient"] if bips else 1.0
    for view, leaf in views.items():
        key = f"grad.{view}.log_probs"
        if key in out and batch.tokens:
            slope = torch.autograd.grad(value, leaf, allow_unused=True, retain_graph=True)[0] if value.requires_grad else None
            slope = torch.zeros_like(leaf) if slope is None else slope
            same((name, key), out[key].reshape(-1) * scale, flat(batch, slope))
    if preset == "vppo":
        anchor = views["old" if "old" in views else "original"].detach()
        masked = views["removing"].detach()
        chosen = flat(batch, references.vppo_mask(anchor, masked, response))
        same((name, "mask"), out["perception_mask"].reshape(-1).double(), chosen)
        same((name, "scale"), out["advantage_scale"], references.vppo_scale(anchor, masked, response))
    return preset


def same(what, found, expected):
    found, expected = torch.as_tensor(found).double(), torch.as_tensor(expected).double()
    assert found.shape == expected.shape, what
    assert torch.allclose(found, expected, rtol=1e-12, atol=1e-15), (what, found, expected)
