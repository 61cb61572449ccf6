"""Gradients as BF16: the F32 gradients of the same request, each rounded once."""

import json

import numpy as np
import pytest

import wire
from score_requests import batch, post, problem

LOGITS = {"preset": "cppo-paper", "gate": "none"}


def rounded(values):
    """bfloat16's bits: the nearest, and of two equally near the even one."""
    values = np.asarray(values, np.float32)
    below = values.view(np.uint32) >> 16
    ends = [(end << 16).astype(np.uint32).view(np.float32).astype(np.float64) for end in (below, below + 1)]
    down, up = (np.abs(values - end) for end in ends)
    return np.where((up < down) | ((up == down) & (below % 2 == 1)), below + 1, below).astype(np.uint16)


def gradient_names(stored):
    return {n for n in stored if n.startswith("grad.") and n != "grad.rows"}


@pytest.mark.parametrize("options", [
    {}, {"preset": "papo-g"}, {"return": ["grad", "weights", "mask"]}, LOGITS, LOGITS | {"stop_gradient": ["preserving"]},
    # The original's gradient is a sum: of a divergence's and of an entropy's.
    {"estimator": "jsd", "gate": "none", "entropy_coefficients": {"original": 0.3}, "grad_scale": 0.37},
    {"estimator": "k3", "gate": "none", "return": ["all", "grad.original.logits"]},
], ids=str)
@pytest.mark.parametrize("form", ["safetensors", "columnar"])
def test_gradients_as_bf16_are_those_of_f32_rounded(server, http, options, form):
    tensors = batch(11, vocabulary=331 if "gate" in options else None)
    if "gate" in options:
        tensors["token_ids"] = np.random.default_rng(2).integers(0, 331, (3, 17))
    given = {name: wire.Stored.of(values) for name, values in tensors.items()}

    def reply(kind):
        url = f"{server}/v1/score?result_type={kind}"
        if form == "safetensors":
            return wire.post_safetensors(http, url, given, options)
        return http.post(url, json=wire.columnar(given, options), headers={"Accept": wire.MEDIA_TYPE}, timeout=60)

    (wide, before), (narrow, after) = (wire.read(reply(kind).content) for kind in ("F32", "BF16"))
    assert wide.keys() == narrow.keys() and gradient_names(wide)
    for name, tensor in wide.items():
        found = narrow[name]
        assert found.shape == tensor.shape, name
        if name in gradient_names(wide):
            assert (tensor.dtype, found.dtype, 2 * len(found.data)) == ("F32", "BF16", len(tensor.data)), name
            assert found.data == rounded(tensor.values).tobytes(), name
        else:
            assert (found.dtype, found.data) == (tensor.dtype, tensor.data), name
    scalars = [json.loads(m["result"]) for m in (before, after)]
    assert [s.pop("options")["result_type"] for s in scalars] == ["F32", "BF16"] and scalars[0] == scalars[1]


@pytest.mark.parametrize("options", [{}, LOGITS], ids=str)
def test_json_has_the_rounded_numbers(server, http, options):
    tensors = batch(12, vocabulary=40 if options else None)
    given = {name: wire.Stored.of(values) for name, values in tensors.items()}
    url = f"{server}/v1/score?result_type=BF16"
    stored = wire.read(wire.post_safetensors(http, url, given, options).content)[0]
    text = wire.post_safetensors(http, url, given, options, headers={"Accept": "application/json"}).json()
    for name in gradient_names(stored):
        assert np.array_equal(np.array(text[name], np.float32), stored[name].values), name


@pytest.mark.parametrize("value, status, word", [
    ("F16", 422, "invalid-option"), ("bf16", 422, "invalid-option"), (16, 400, "invalid-type")])
def test_another_result_type_is_refused_by_name(server, http, value, status, word):
    reply = post(http, f"{server}/v1/score", batch(), {"result_type": value})
    body = problem(reply, status, word, "result_type")
    assert "F32, BF16" in body["detail"]


def test_a_gradient_too_large_for_bf16_is_refused_and_never_infinite(server, http):
    tensors = {f"{v}.log_probs": np.full((1, 1), -1, np.float32) for v in wire.VIEWS}
    options = {"detector": "none", "gate": "none", "estimator": "k1", "loss": "margin", "grad_scale": 3.4e38}
    assert post(http, f"{server}/v1/score", tensors, options).status_code == 200
    reply = post(http, f"{server}/v1/score", tensors, options | {"result_type": "BF16"})
    assert "does not fit BF16" in problem(reply, 422, "non-finite-value", "grad.preserving.log_probs")["detail"]
