"""No selection may hang on the last bits: scores are equal or clearly apart, limits are met or clearly missed."""


def certain(info):
    """None, or why another rounding could choose other tokens."""
    o, batch, selection = info["options"], info["batch"], info["selection"]
    if o["detector"] not in ("entropy", "divergence"):
        return gate_and_cap(info)
    exact = not batch.logits
    single = bool(batch.logits) and next(iter(batch.logits.values())).shape[-1] == 1
    inside = [i for i in range(batch.tokens) if batch.response[i]]
    for i in inside:
        if o["detector"] == "entropy":
            distance = abs(selection.delta[i] - o["min_delta_entropy"])
        elif o["candidates"] == "rising":
            anchor = "old" if "old" in info["policy"].given else "original"
            pair = [float(info["policy"].realised_tensors[v][i].detach()) for v in (anchor, "removing")]
            distance = abs(pair[0] - pair[1])
        else:
            continue
        if not (distance == 0 and (exact or single)) and distance <= 1e-5:
            return f"token {i} is a candidate by {distance}"
    for start, end in batch.rows:
        ordered = sorted(selection.score[i] for i in range(start, end) if selection.candidates[i])
        for low, high in zip(ordered, ordered[1:]):
            apart = high - low > 1e-6 * max(abs(high), abs(low)) + (0 if exact else 1e-5 * abs(high))
            if not (high == low and (exact or single or o["clamp_result"] == high)) and not apart:
                return f"scores {low} and {high}"
    return gate_and_cap(info)


def gate_and_cap(info):
    """Whether the cap acts must not hang on the last bits; a sum that is exact may lie on it."""
    cap, aggregate = info["options"]["loss_cap"], info["aggregate"]
    if cap is None or abs(aggregate) == cap or abs(abs(aggregate) - cap) > 1e-5 * cap:
        return None
    return f"the loss is {aggregate} and its cap {cap}"
