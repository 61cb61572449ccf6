"""Rollouts for the stand-in, and the same perception loss in the process."""

import io
import math

import reference
import torch
from features import FIXTURES
from PIL import Image
from stand_in import WORDS
from tinker import types

from perception_client.trainers.tinker import Rollout

SETTINGS = {"coefficient": 0.5, "options": {"detector": "divergence"}}
ADVANTAGES = (1.0, -0.5, 0.8, 2.0)


def picture(name, file="PNG"):
    out = io.BytesIO()
    Image.open(FIXTURES / name).convert("RGB").resize((56, 56)).save(out, file)
    return types.ImageChunk(data=out.getvalue(), format=file.lower(), expected_tokens=4)


def text(*ids):
    return types.EncodedTextChunk(tokens=list(ids))


def tokens(seed, count):
    return torch.randint(1, WORDS, (count,), generator=torch.Generator().manual_seed(seed)).tolist()


def rollouts(step=0):
    """Four: two of one prompt, one of two pictures (PNG and JPEG), one with a picture that a tool returned in between."""
    first = types.ModelInput(chunks=[text(1, 2), picture("photograph.jpg"), text(3)])
    both = types.ModelInput(chunks=[picture("page.png", "JPEG"), text(5), picture("photograph.jpg"), text(6, 7)])
    found = [
        Rollout.of(first, tokens(10 * step, 9), ADVANTAGES[0]),
        Rollout.of(first, tokens(10 * step + 1, 5), ADVANTAGES[1]),
        Rollout.of(both, tokens(10 * step + 2, 12), ADVANTAGES[2]),
    ]
    asked, answer = tokens(10 * step + 3, 4), tokens(10 * step + 4, 6)
    sequence = types.ModelInput(chunks=[text(8, 9), text(*asked), picture("photograph.jpg", "JPEG"), text(4), text(*answer)])
    return [*found, Rollout(sequence, [0] * 2 + [1] * 4 + [0] * 5 + [1] * 6, ADVANTAGES[3])]


def in_process(model, given, views, weight=0.5):
    """cppo-verl's loss over the half of each response's tokens that differ most without the picture, in float64."""
    chosen, said = [], {"original": [], "preserving": [], "removing": []}
    for number, rollout in enumerate(given):
        mask = torch.tensor(list(rollout.mask)[1:]).bool()
        files = {"original": rollout.pictures, **{view: views[view][number] for view in ("preserving", "removing")}}
        own = {view: model(rollout.under(f), rollout.targets)[mask] for view, f in files.items()}
        apart = reference.k3(own["original"], own["removing"]).detach()
        k = max(1, math.floor(len(apart) * 0.5))
        rank = torch.zeros_like(apart).bool()
        rank[apart.topk(k).indices] = True
        chosen.append(rank & (rollout.advantage > 0))
        for view, values in own.items():
            said[view].append(values)
    return weight * reference.cppo({v: torch.cat(x) for v, x in said.items()}, torch.cat(chosen))


def gradient(model, loss):
    return torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, list(model.parameters()))])


def accumulated(model):
    return torch.cat([p.grad.reshape(-1) for p in model.parameters()])
