"""Random batches and how the contract names and lays out their tensors."""

import numpy as np
import torch

DEFAULTS = {"policy": "ppo", "clip_low": 0.2, "clip_high": 0.2, "dual_clip": None, "kl_estimator": "k3",
            "kl_coefficient": 0.0, "importance_level": "token", "policy_aggregation": "token-mean",
            "policy_denominator": None, "policy_tokens": "response"}


def draw(random, lengths, width, spread=0.3, distance=0.3, reference=True, by_token=False, holes=False, depth=1.0):
    """Log-probabilities, about -depth, of three policies that differ by about `spread` and `distance`; exact in float32."""
    shape = (len(lengths), width)
    exact = lambda values: torch.tensor(np.asarray(values, dtype=np.float32).astype(np.float64))  # noqa: E731
    old = -random.exponential(depth, shape)
    mask = np.arange(width)[None, :] < np.asarray(lengths)[:, None]
    if holes:
        mask = mask & (random.random(shape) < 0.8)
    of_rows = random.normal(0, 1, len(lengths)).round(3)
    advantages = random.normal(0, 1, shape) if by_token else np.repeat(of_rows[:, None], width, axis=1)
    log_probs = np.minimum(old + random.normal(0, spread, shape), 0)
    batch = {
        "log_probs": exact(log_probs), "old": exact(old), "mask": torch.tensor(mask, dtype=torch.float64),
        "advantages": exact(advantages), "advantages_of_rows": None if by_token else exact(of_rows),
        "perception": torch.tensor((random.random(shape) < 0.4) & mask, dtype=torch.float64)}
    if reference:
        batch["reference"] = exact(np.minimum(log_probs + random.normal(0, distance, shape), 0))
    return batch


def request(batch, o, packed=False):
    """(tensors, options) of POST /v1/score. Padding holds zeros, which a server must not take for tokens."""
    chosen = {k: v for k, v in o.items() if v != DEFAULTS[k] or k == "policy"}
    perception = o["policy_tokens"] == "perception"
    options = {"terms": [], "detector": "given" if perception else "none", "gate": "none",
               "gradient_of": "objective", **chosen}
    tensors = {"original.log_probs": batch["log_probs"], "response_mask": batch["mask"].to(torch.uint8)}
    if o["policy"] == "ppo":
        tensors["old.log_probs"] = batch["old"]
        of_rows = batch["advantages_of_rows"]
        tensors["advantages"] = batch["advantages"] if of_rows is None else of_rows
    if "reference" in batch:
        tensors["reference.log_probs"] = batch["reference"]
    if perception:
        tensors["perception_mask"] = batch["perception"].to(torch.uint8)
    if packed:
        inside = batch["mask"].bool()
        tensors = {name: pack(value, inside) for name, value in tensors.items()}
        del tensors["response_mask"]
        ends = torch.cumsum(inside.sum(-1), 0)
        tensors["cu_seqlens"] = torch.cat([torch.zeros(1, dtype=torch.int64), ends]).to(torch.int32)
    return tensors, options


def pack(tensor, inside):
    return tensor[inside] if tensor.shape == inside.shape else tensor
