"""The diagnostics of a reply, counted token by token."""

import math

from groups import groups_without_spread
from batch import VIEWS


def count(batch, selection, mask, contrast, active, start, end):
    inside = range(start, end)
    tokens = [i for i in inside if batch.response[i]]
    gated = [i for i in inside if mask[i]]
    compared = [i for i in tokens if batch.viewed[i]]
    delta = selection.delta
    return {
        "tokens": len(tokens),
        "candidates": sum(selection.candidates[i] for i in inside),
        "selected": sum(selection.chosen[i] for i in inside),
        "gated": len(gated),
        "mean_delta_entropy": math.fsum(delta[i] for i in compared) / len(compared) if compared and delta else 0.0,
        "mean_contrast": math.fsum(float(contrast[i]) for i in gated) / len(gated) if gated else 0.0,
        "clamped_fraction": sum(bool(active[i]) for i in gated) / len(gated) if gated else 0.0,
    }


def of_request(batch, policy, o):
    """What is said of the request as a whole: groups, views that are equal, numbers outside their domain."""
    found, tokens = {}, [i for i in range(batch.tokens) if batch.response[i]]
    if "group_ids" in batch.tensors and "rewards" in batch.tensors:
        groups = batch.tensors["group_ids"].tolist()
        found["groups"] = len(set(groups))
        found["groups_without_spread"] = groups_without_spread(batch.tensors["rewards"].double().tolist(), groups)
    known = {v: policy.realised_tensors[v].detach() for v in policy.known}
    viewed = [i for i in tokens if batch.viewed[i]]
    if "has_views" in batch.tensors:
        found["without_views"] = int((batch.tensors["has_views"] == 0).sum())
    if viewed:
        pairs = [(x, y) for i, x in enumerate(VIEWS) for y in VIEWS[i + 1:] if x in known and y in known]
        if pairs:
            found["equal_views"] = {
                f"{x}_{y}": sum(bool(known[x][i] == known[y][i]) for i in viewed) / len(viewed) for x, y in pairs}
    if tokens:
        if "old" in policy.given and "original" in known:
            distance = (known["original"] - policy.given["old"].detach()).abs()
            found["mean_old_distance"] = math.fsum(float(distance[i]) for i in tokens) / len(tokens)
    ranked = o["detector"] == "entropy"
    entropies = [batch.entropy[v] for v in ("original", "removing") if ranked and v in batch.entropy]
    found["negative_entropies"] = sum(bool(values[i] < 0) for values in entropies for i in tokens)
    given = [policy.given[v] for v in known if v in policy.given]
    found["positive_log_probs"] = sum(bool(values[i] > 0) for values in given for i in tokens)
    return found
