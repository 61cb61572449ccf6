"""Every golden file through the running server, in every encoding that can carry it."""

import json

import pytest

import golden
import twin
import wire

ENCODINGS = ("safetensors", "columnar", "rollouts")


def cases(part):
    for name in golden.names(part):
        case = golden.Golden(part, name)
        for encoding in ENCODINGS:
            if encoding == "safetensors" or (case.as_json and not case.made):
                yield pytest.param(case, encoding, id=f"{name}-{encoding}")


def post(http, url, case, encoding, options):
    """(flat arrays by name, scalars) of the reply."""
    if encoding == "safetensors":
        reply = wire.post_safetensors(http, url, case.inputs, options)
        assert reply.status_code == 200, reply.text
        assert reply.headers["Content-Type"] == wire.MEDIA_TYPE
        tensors, metadata = wire.read(reply.content)
        return {name: t.values for name, t in tensors.items()}, json.loads(metadata["result"])
    body = getattr(wire, encoding)(case.inputs, options)
    reply = http.post(url, json=body, timeout=60)
    assert reply.status_code == 200, reply.text
    scalars = reply.json()
    if encoding == "rollouts":
        arrays = wire.joined(scalars, wire.bounds(case.inputs))
        return {name: arrays.get(name, []) for name in case.outputs}, scalars
    return scalars, scalars


@pytest.mark.parametrize("case, encoding", list(cases("score")))
def test_score_is_what_autograd_says(server, http, case, encoding):
    tensors, scalars = post(http, f"{server}/v1/score", case, encoding, case.options)
    golden.assert_reply(flattened(tensors), scalars, case.outputs, case.scalars, case.from_logits)


def flattened(tensors):
    """Nested JSON lists as they are compared: one after the other."""
    return {name: list(leaves(values)) if isinstance(values, list) else values for name, values in tensors.items()}


def leaves(values):
    for value in values:
        if isinstance(value, list):
            yield from leaves(value)
        else:
            yield value


@pytest.mark.parametrize("case, encoding", list(cases("entropy")))
def test_entropy_is_what_float64_says(server, http, case, encoding):
    if encoding == "rollouts":
        ids = case.inputs["token_ids"].values.tolist() if "token_ids" in case.inputs else None
        items = [{"logits": rows} for rows in case.inputs["logits"].values.tolist()]
        for index, item in enumerate(items):
            if ids is not None:
                item["token_ids"] = ids[index]
        reply = http.post(
            f"{server}/v1/entropy", json={"options": case.options, "rollouts": items}, timeout=60)
        assert reply.status_code == 200, reply.text
        tensors = {n: [item[n] for item in reply.json()["rollouts"]] for n in case.outputs}
    else:
        tensors, _ = post(http, f"{server}/v1/entropy", case, encoding, case.options)
    found = flattened(tensors)
    golden.assert_close(found["entropy"], case.outputs["entropy"], 2e-6, "entropy", 1.0)
    for name in ("log_sum_exp", "log_probs"):
        if name in case.outputs:
            golden.assert_close(found[name], case.outputs[name], 4e-7, name, 5.0)


@pytest.mark.parametrize("case, encoding", list(cases("advantages")))
def test_advantages_are_what_float64_says(server, http, case, encoding):
    url = f"{server}/v1/advantages"
    if encoding == "rollouts":
        pairs = zip(case.inputs["rewards"].values.tolist(), case.inputs["group_ids"].values.tolist())
        body = {"options": case.options, "rollouts": [{"reward": r, "group_id": g} for r, g in pairs]}
        reply = http.post(url, json=body, timeout=60)
        assert reply.status_code == 200, reply.text
        found = [item["advantage"] for item in reply.json()["rollouts"]]
    else:
        found = post(http, url, case, encoding, case.options)[0]["advantages"]
    golden.assert_close(found, case.outputs["advantages"], 1e-6, "advantages", 1e-6)


MASK_OPTIONS = (
    "preset", "detector", "score", "epsilon", "min_delta_entropy", "top_k_ratio", "quota", "scope", "ties", "gate",
    "gate_threshold", "candidates", "estimator", "clamp_input", "clamp_result", "advantage_shaping", "advantage_floor",
    "dependency_min", "dependency_max", "dependency_mean")
OF_DETECTOR = {
    "entropy": ("original.entropy", "removing.entropy"), "given": ("perception_mask",),
    "divergence": ("original.log_probs", "removing.log_probs"), "none": ("original.entropy", "removing.entropy")}
OF_ROWS = ("response_mask", "advantages", "rewards", "group_ids", "cu_seqlens")
OF_DIVERGENCE = ("estimator", "clamp_input", "clamp_result")


def mask_cases():
    """Those that need no logits; with detector `given` the length of a row is that of its mask."""
    for name in golden.names("score"):
        case = golden.Golden("score", name)
        o = twin.resolve(case.options)
        needed = set(OF_DETECTOR[o["detector"]])
        measured = o["detector"] == "divergence" or o["advantage_shaping"] == "dependency"
        if measured:
            needed |= set(OF_DETECTOR["divergence"])
        if needed <= set(case.inputs) and "return" not in case.options and not case.from_logits:
            optional = (*OF_ROWS, "old.log_probs") if measured else OF_ROWS
            inputs = {n: t for n, t in case.inputs.items() if n in (*needed, *optional)}
            yield pytest.param(case, inputs, measured, id=name)


@pytest.mark.parametrize("case, inputs, measured", list(mask_cases()))
def test_mask_selects_what_score_selects(server, http, case, inputs, measured):
    options = {
        n: v for n, v in case.options.items() if n in MASK_OPTIONS and (measured or n not in OF_DIVERGENCE)}
    if options.get("detector") == "none" and "response_mask" not in inputs:
        shape = case.inputs["original.entropy"].shape
        inputs = inputs | {"response_mask": wire.Stored("U8", shape, b"\x01" * len(case.outputs["mask"].reshape(-1)))}
    reply = wire.post_safetensors(http, f"{server}/v1/mask", inputs, options)
    assert reply.status_code == 200, reply.text
    tensors, metadata = wire.read(reply.content)
    for name in ("perception_mask", "gate", "mask"):
        assert tensors[name].dtype == "U8" and tensors[name].values.tolist() == case.outputs[name].tolist(), name
    for name in ("delta_entropy", "perception_score", "advantage_scale"):
        if name in case.outputs:
            golden.assert_close(tensors[name].values, case.outputs[name], 2e-7, name)
    expected = case.scalars["diagnostics"]
    told = {n: expected[n] for n in (*golden.COUNTS, "mean_delta_entropy", "sequences")}
    golden.assert_diagnostics(json.loads(metadata["result"])["diagnostics"], told)
