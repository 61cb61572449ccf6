"""Requests to /v1/score as a trainer makes them with the safetensors package, and what the replies say."""

import json

import numpy as np
from safetensors.numpy import save

import wire


def batch(seed=1, count=3, length=17, vocabulary=None):
    random = np.random.default_rng(seed)
    original = random.gamma(1.2, 0.7, (count, length))
    anchor = -random.exponential(0.6, (count, length))
    tensors = {
        "original.entropy": original,
        "removing.entropy": np.maximum(original + random.normal(0.25, 0.8, original.shape), 0),
        "original.log_probs": anchor,
        "preserving.log_probs": np.minimum(anchor + random.normal(0, 0.2, anchor.shape), 0),
        "removing.log_probs": anchor - random.exponential(0.8, anchor.shape),
        "advantages": random.normal(0.5, 1, count),
    }
    if vocabulary:
        tensors = {f"{v}.logits": random.normal(0, 2, (count, length, vocabulary)) for v in wire.VIEWS}
        tensors["advantages"] = np.ones(count)
    return {name: values.astype(np.float32) for name, values in tensors.items()}


def post(http, url, tensors, options=None, **arguments):
    """With the safetensors package, as a trainer would."""
    metadata = {"options": json.dumps(options)} if options is not None else None
    headers = {"Content-Type": wire.MEDIA_TYPE} | arguments.pop("headers", {})
    return http.post(url, data=save(tensors, metadata), headers=headers, timeout=60, **arguments)


def result(reply):
    assert reply.status_code == 200, reply.text
    return json.loads(wire.read(reply.content)[1]["result"])


def problem(reply, status, word, field=None):
    assert reply.status_code == status, reply.text
    assert reply.headers["Content-Type"].split(";")[0] == "application/problem+json"
    body = reply.json()
    assert (body["type"], body["status"]) == (word, status), body
    if field is not None:
        assert field in json.dumps(body["errors"]), body
    return body
