"""Requests for numbers, which NumPy's twin computes anew."""

import json

import numpy as np

import golden
import twin
import wire
import workload
from checked import JSON, Kind


def stored(tensors, dtype=np.float32):
    return {k: wire.Stored.of(v.astype(dtype) if v.dtype.kind == "f" else v) for k, v in tensors.items()}


def values(tensors):
    return {k: t.values for k, t in tensors.items()}


def compact(rows, length, seed, form="safetensors", preset="cppo-verl", **more):
    tensors = stored(workload.compact(rows, length, seed))
    expected, scalars = twin.score(values(tensors), {"preset": preset})
    options = {"preset": preset}

    def check(reply):
        if form == "safetensors":
            found, metadata = wire.read(reply.body)
            golden.assert_reply(values(found), json.loads(metadata["result"]), expected, scalars, False)
        elif form == "rollouts":
            found = json.loads(reply.body)
            golden.assert_reply(wire.joined(found, wire.bounds(tensors)), found, expected, scalars, False)
        else:
            found = json.loads(reply.body)
            golden.assert_reply(found, found, expected, scalars, False) if "token_loss" in found else None
            assert abs(found["loss"] - scalars["loss"]) <= 1e-6 * abs(scalars["loss"]) + 1.1e-8

    if form == "safetensors":
        body, kind = wire.write(tensors, {"options": json.dumps(options)}), wire.MEDIA_TYPE
    else:
        made = wire.rollouts(tensors, options) if form == "rollouts" else wire.columnar(tensors, options)
        body, kind = json.dumps(made).encode(), JSON
    return Kind(f"score {rows}×{length} {form} {preset}", "POST", "/v1/score", body, kind, check=check, **more)


def bf16(array):
    wide = np.ascontiguousarray(array, np.float32).view(np.uint32)
    return wire.Stored("BF16", array.shape, ((wide + 0x8000) >> 16).astype(np.uint16).tobytes())


def entropy(rows, vocabulary, seed, dtype="F32", streamed=False, **more):
    made = workload.logits(rows, vocabulary, seed)
    tensor = bf16(made) if dtype == "BF16" else wire.Stored.of(made.astype(wire.TYPES[dtype]))
    ids = np.random.default_rng(seed).integers(0, vocabulary, (1, rows))
    expected = twin.statistics(tensor.values, ids=ids)

    def check(reply):
        found = values(wire.read(reply.body)[0])
        for name, numbers in expected.items():
            golden.assert_close(found[name], numbers, 2e-6, name, 1.0)

    body = wire.write({"token_ids": wire.Stored.of(ids), "logits": tensor})
    return Kind(f"entropy {rows}×{vocabulary} {dtype}{' chunked' if streamed else ''}", "POST", "/v1/entropy", body,
                wire.MEDIA_TYPE, check=check, streamed=streamed, **more)


def full(rows, vocabulary, seed, **more):
    """full_kl with gradients of logits."""
    chance = np.random.default_rng(seed)
    tensors = {f"{v}.logits": wire.Stored.of(chance.normal(0, 2, (1, rows, vocabulary)).astype(np.float32)) for v in wire.VIEWS}
    tensors["advantages"] = wire.Stored.of(np.ones(1, np.float32))
    expected, scalars = twin.score(values(tensors), {"preset": "cppo-paper"})

    def check(reply):
        found, metadata = wire.read(reply.body)
        golden.assert_reply(values(found), json.loads(metadata["result"]), expected, scalars, True)

    return Kind(f"score full_kl {rows}×{vocabulary}", "POST", "/v1/score?preset=cppo-paper", wire.write(tensors),
                wire.MEDIA_TYPE, check=check, **more)


def mask(rows, length, seed, **more):
    tensors = stored({k: v for k, v in workload.compact(rows, length, seed).items() if not k.endswith("log_probs")})
    given = values(tensors)
    response, options = np.ones(rows * length, bool), twin.resolve({"preset": "cppo-areal"})
    bounds = [(i * length, (i + 1) * length) for i in range(rows)]
    chosen, _, delta, _ = twin.select(
        *(np.float64(given[f"{v}.entropy"].reshape(-1)) for v in ("original", "removing")), response, bounds, options)

    def check(reply):
        found = values(wire.read(reply.body)[0])
        assert (found["perception_mask"].reshape(-1) == chosen).all(), "perception_mask"
        golden.assert_close(found["delta_entropy"], delta, 2e-6, "delta_entropy")

    return Kind(f"mask {rows}×{length}", "POST", "/v1/mask?preset=cppo-areal", wire.write(tensors), wire.MEDIA_TYPE,
                check=check, **more)


def advantages(count, seed, **more):
    chance = np.random.default_rng(seed)
    rewards = chance.integers(0, 3, count).astype(float).tolist()
    groups = (np.arange(count) // 8).tolist()
    expected = twin.advantages(rewards, groups)

    def check(reply):
        golden.assert_close(json.loads(reply.body)["advantages"], expected, 2e-6, "advantages", 1e-6)

    body = json.dumps({"rewards": rewards, "group_ids": groups}).encode()
    return Kind("advantages", "POST", "/v1/advantages", body, JSON, check=check, **more)
