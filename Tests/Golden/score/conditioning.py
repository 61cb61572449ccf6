"""No selection may hang on the last bits: scores are equal or clearly apart, limits are met or clearly missed."""

# Of two entropies that a server reduces from F32 logits, each within 2e-6 nats; and of a divergence.
ENTROPIES, DIVERGENCE = 8e-6, 1e-4


def certain(info, reduced=False):
    """None, or why another rounding could choose other tokens. `reduced`: numbers come from logits in narrow arithmetic."""
    o, batch, selection = info["options"], info["batch"], info["selection"]
    if o["detector"] not in ("entropy", "divergence"):
        return cap(info, reduced)
    exact = not batch.logits
    single = bool(batch.logits) and next(iter(batch.logits.values())).shape[-1] == 1
    for i in range(batch.tokens):
        distance = from_limit(info, i) if batch.response[i] else None
        if distance is not None and not (distance == 0 and (exact or single)) and distance <= 1e-5:
            return f"token {i} is a candidate by {distance}"
    for start, end in batch.rows:
        ranked = [i for i in range(start, end) if selection.candidates[i]]
        ordered = sorted((selection.score[i], uncertainty(info, i) if reduced else 0.0) for i in ranked)
        for (low, below), (high, above) in zip(ordered, ordered[1:]):
            apart = high - low > 1e-6 * max(abs(high), abs(low)) + below + above
            if not (high == low and (exact or single or abs(high) == o["clamp_result"])) and not apart:
                return f"scores {low} and {high}"
    return cap(info, reduced)


def from_limit(info, i):
    """How far a token is from being a candidate or not."""
    o, policy = info["options"], info["policy"]
    if o["detector"] == "entropy":
        return abs(info["selection"].delta[i] - o["min_delta_entropy"])
    if o["candidates"] == "rising":
        anchor = "old" if "old" in policy.given else "original"
        pair = [float(policy.realised_tensors[v][i].detach()) for v in (anchor, "removing")]
        return abs(pair[0] - pair[1])
    return None


def uncertainty(info, i):
    """How far rounding may move a score."""
    o, score = info["options"], info["selection"].score[i]
    if o["detector"] == "divergence":
        return DIVERGENCE * (abs(score) + 0.1)
    if o["score"] == "absolute":
        return ENTROPIES
    removing = float(info["batch"].entropy_of("removing")[i])
    return ENTROPIES / (removing + o["epsilon"])


def cap(info, reduced):
    """Whether the cap acts must not hang on the last bits; a sum that is exact may lie on it."""
    limit, aggregate = info["options"]["loss_cap"], info["aggregate"]
    slack = 1e-5 * max(limit or 0, info["magnitude"] if reduced else 0)
    if limit is None or abs(aggregate) == limit or abs(abs(aggregate) - limit) > slack:
        return None
    return f"the loss is {aggregate} and its cap {limit}"


def on_a_clamp(info, reduced):
    """Whether a clamp of some token acts or not by rounding alone: there a gradient jumps."""
    margin = 1e-4 if reduced else 1e-12
    return any(abs(distance - limit) <= margin * (1 + limit) for distance, limit in info["policy"].clamped_distances)
