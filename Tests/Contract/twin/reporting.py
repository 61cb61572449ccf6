"""The diagnostics of a reply."""

import itertools

import numpy as np

from .advantages import groups_without_spread
from .options import VIEWS


def counts(start, end, layout, chosen, candidates, mask, delta, contrast):
    part = slice(start, end)
    inside, left = layout.response[part], mask[part]

    def mean(values, where):
        return float(values[part][where].mean()) if where.any() else 0.0

    return {
        "tokens": int(inside.sum()), "candidates": int(candidates[part].sum()), "selected": int(chosen[part].sum()),
        "gated": int(left.sum()), "mean_delta_entropy": 0.0 if delta is None else mean(delta, layout.viewed[part]),
        "mean_contrast": mean(contrast.value, left), "clamped_fraction": mean(contrast.active, left),
    }


def of_request(layout, o):
    """What is said of the request as a whole."""
    tensors, inside = layout.tensors, layout.response
    told = {}
    if "rewards" in tensors and "group_ids" in tensors:
        groups = np.asarray(tensors["group_ids"]).tolist()
        told = {"groups": len(set(groups)), "groups_without_spread": groups_without_spread(tensors["rewards"], groups)}
    if "has_views" in tensors:
        told["without_views"] = int((np.asarray(tensors["has_views"]) == 0).sum())
    known, viewed = layout.read, layout.viewed
    pairs = [pair for pair in itertools.combinations(VIEWS, 2) if all(v in known for v in pair)]
    if viewed.any() and pairs:
        told["equal_views"] = {f"{x}_{y}": float((known[x] == known[y])[viewed].mean()) for x, y in pairs}
    if inside.any() and layout.given("old") and "original" in known:
        told["mean_old_distance"] = float(np.abs(known["original"] - layout.flat("old.log_probs"))[inside].mean())
    used = [f"{v}.entropy" for v in ("original", "removing")] if o["detector"] == "entropy" else []
    told["negative_entropies"] = sum(int((layout.flat(n) < 0).sum()) for n in used if n in tensors)
    told["positive_log_probs"] = sum(int((v > 0).sum()) for k, v in known.items() if layout.given(k))
    return told
