"""Optimizer steps on a mini-batch in plain transformers and PyTorch: what verl's parameters are compared with.

python plain_steps.py MODEL ROWS OUT PRESET…, in a process of its own, because verl replaces methods of transformers.
`PRESET/4` is with mini-batches of four rows, `vppo/8/2` with the scale of each of two ranks' rows, `scaled` is cppo-verl
with vppo's scale of the advantages. Each row is run alone,
so that there is no padding, no micro-batch and no rank. The policy loss is verl's `vanilla` with its defaults, and both
losses are divided by the mini-batch's response tokens, as verl's `agg_loss` does for token-mean.
"""

import sys

import torch
from transformers import Qwen2_5_VLForConditionalGeneration

import in_process

LEARNING_RATE, WEIGHT_DECAY, CLIP, STEPS = 0.05, 0.01, 1.0, 3
TEMPERATURE = 0.9
VIEWS = ("original", "preserving", "removing")


def response(model, row, view):
    """Log-probabilities and entropies [T] of a row's response under a view."""
    inputs = row["multi_modal_inputs"]
    pixels = inputs.get("pixel_values" if view == "original" else f"perception.{view}.pixel_values")
    pictures = {} if pixels is None else {"pixel_values": pixels, "image_grid_thw": inputs["image_grid_thw"]}
    ids = row["input_ids"][None]
    logits = model(
        input_ids=ids, attention_mask=torch.ones_like(ids), position_ids=row["position_ids"][:, None], use_cache=False,
        **pictures).logits[0]  # fmt: skip
    first = len(row["prompts"])
    distribution = torch.log_softmax(logits[first - 1 : -1].float() / TEMPERATURE, -1)
    said = distribution.gather(-1, row["responses"][:, None])[:, 0]
    return said, -(distribution.exp() * distribution).sum(-1).detach()


def padded(rows):
    return torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True)


def policy(log_probs, old, advantages, mask, low=0.2, high=0.2, dual=3.0):
    """Sum of PPO's clipped losses with the dual clip."""
    ratio = (log_probs - old).clamp(-20, 20).exp()
    loss = torch.maximum(-advantages * ratio, -advantages * ratio.clamp(1 - low, 1 + high))
    loss = torch.where(advantages < 0, torch.minimum(loss, -advantages * dual), loss)
    return torch.where(mask, loss, 0).sum()


def shaped(model, rows, all_tokens):
    """vppo's advantages [T] of each row, or scaled ones, by what the model says now and the old policy said."""
    with torch.no_grad():
        removing = padded([response(model, row, "removing")[0] for row in rows])
    seen = padded([row["response_mask"] for row in rows]).bool() & pictured(rows)
    chosen, scale = in_process.vppo_shaping(padded([row["old_log_probs"] for row in rows]), removing, seen)
    found = []
    for row, tokens, factor in zip(rows, chosen, scale, strict=True):
        own = row["advantages"]
        found.append(own * factor * (all_tokens | tokens[: len(own)]) if row["multi_modal_inputs"] else own)
    return found


def pictured(rows):
    return torch.tensor([bool(row["multi_modal_inputs"]) for row in rows])[:, None]


def objective(model, rows, preset):
    """The whole mini-batch's."""
    preset = "cppo-verl" if preset == "scaled" else preset
    passes = {view: [response(model, row, view) for row in rows] for view in VIEWS}
    log_probs = {view: padded([said for said, _ in found]) for view, found in passes.items()}
    entropy = {view: padded([h for _, h in found]) for view, found in passes.items()}
    mask, old, advantages = (padded([row[n] for row in rows]) for n in ("response_mask", "old_log_probs", "advantages"))
    mask = mask.bool()
    total = mask.sum()
    loss = policy(log_probs["original"], old, advantages, mask) / total
    if preset == "none":
        return loss
    # Rows without pictures carry none of it; what is left is a mean over its own tokens, and is to be one over all.
    seen = mask & pictured(rows)
    own = seen
    if preset == "cppo-verl":
        own = in_process.rising_tokens(entropy, seen) & (advantages > 0)
    return loss + in_process.loss(preset, log_probs, entropy, seen, advantages) * (own.sum() + 1e-8) / total


def trained(folder, rows, preset, size=None, ranks=1):
    """Parameters by name after three training steps of mini-batches of `size` rows; absent, of all.

    The scale of vppo is of each rank's rows: the first ones are the first rank's.
    """
    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa")
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    for _ in range(STEPS):
        given = rows
        if preset in ("vppo", "scaled"):
            share = len(rows) // ranks
            own = [x for first in range(0, len(rows), share) for x in shaped(model, rows[first : first + share], preset == "scaled")]
            given = [row | {"advantages": x} for row, x in zip(rows, own, strict=True)]
        for first in range(0, len(rows), size or len(rows)):
            optimizer.zero_grad()
            objective(model, given[first : first + (size or len(rows))], preset).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
    return {name: value.detach() for name, value in model.named_parameters()}


if __name__ == "__main__":
    folder, given, out, *presets = sys.argv[1:]
    rows = torch.load(given, weights_only=False)
    found = {}
    for preset in presets:
        name, *numbers = preset.split("/")
        found[preset] = trained(folder, rows, name, *map(int, numbers))
    torch.save(found, out)
