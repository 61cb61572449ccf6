"""What a trainer does with /v1/score, and what it must be told when it errs."""

import json

import numpy as np
import pytest
from safetensors.numpy import load, save

import golden
import score_draws
import twin
import wire

PRESETS = sorted(twin.PRESETS)


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


@pytest.mark.parametrize("preset", PRESETS)
def test_safetensors_client_gets_the_twins_numbers(server, http, preset):
    tensors = batch(vocabulary=29 if preset == "cppo-paper" else None)
    if preset == "bips-consistency":
        tensors["rewards"] = np.float32([1, 0, 0.5])
    reply = post(http, f"{server}/v1/score", tensors, {"preset": preset})
    scalars = result(reply)
    out = load(reply.content)
    expected, expected_scalars = twin.score(tensors, {"preset": preset})
    assert set(out) - set(golden.SCALARS) == set(expected)
    golden.assert_reply(out, scalars, expected, expected_scalars, preset == "cppo-paper")
    assert {k: v.dtype for k, v in out.items() if k in ("mask", "gate")} == {"mask": np.uint8, "gate": np.uint8}
    if preset != "vppo":
        assert out["token_loss"].dtype == np.float32 and out["token_loss"].shape == (3, 17)


def test_many_batches_agree_with_the_twin(server, http):
    for seed in range(40):
        random = np.random.default_rng(seed)
        tensors = batch(seed, int(random.integers(1, 6)), int(random.integers(1, 41)))
        tensors["response_mask"] = (random.random(tensors["original.entropy"].shape) < 0.8).astype(np.uint8)
        options = {
            "preset": str(random.choice(["cppo-verl", "cppo-areal"])),
            "estimator": str(random.choice(["k1", "abs", "k2", "k3"])),
            "quota": str(random.choice(["floor", "ceil"])),
            "scope": str(random.choice(["sequence", "segment"])),
            "top_k_ratio": float(random.choice([0.1, 0.29, 0.3, 0.5, 0.7, 1])),
            "aggregation": str(random.choice(
                ["token-mean", "seq-mean-token-sum", "seq-mean-token-mean", "seq-mean-token-sum-norm"])),
            "tau": float(random.choice([0.1, 0.5, 1])),
        }
        for name, limits in {"clamp_input": [None, 0.1, 1.0], "clamp_result": [None, 0.01, 1.0]}.items():
            if random.random() < 0.5:
                options[name] = limits[random.integers(3)]
        reply = post(http, f"{server}/v1/score", tensors, options)
        expected, expected_scalars = twin.score(tensors, options)
        golden.assert_reply(load(reply.content), result(reply), expected, expected_scalars, False)


@pytest.mark.parametrize("first", range(0, 160, 20))
def test_random_option_sets_agree_with_the_twin(server, http, first):
    """Own terms, estimators, shapes, caps, detectors, gates, sums, presets; tensors that nothing needs are absent."""
    for seed in range(first, first + 20):
        request = score_draws.Request(np.random.default_rng(seed), log_probs_only=True)
        reply = wire.post_safetensors(http, f"{server}/v1/score", request.tensors, request.options)
        assert reply.status_code == 200, f"seed {seed}: {request.options} {sorted(request.tensors)} {reply.text}"
        stored, metadata = wire.read(reply.content)
        expected, expected_scalars = twin.score(request.values, request.options)
        found = {name: tensor.values for name, tensor in stored.items()}
        assert set(found) - set(golden.SCALARS) == set(expected), f"seed {seed}: {request.options}"
        for name in [n for n, tensor in stored.items() if tensor.dtype == "BF16"]:
            assert name.startswith("grad.") and request.options["result_type"] == "BF16"
            # Half of the last of its eight bits, the first of which is 1.
            golden.assert_close(found.pop(name), expected.pop(name), 2**-8 + 1e-5, f"seed {seed}: {name}")
        golden.assert_reply(found, json.loads(metadata["result"]), expected, expected_scalars, False)


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


def test_floats_may_begin_at_any_byte(server, http):
    """Floats are read where they arrived: behind a mask of an odd length, no number stands at a multiple of its size."""
    tensors = batch(3)
    mask = {"response_mask": np.ones((3, 17), np.uint8)}
    stored = {name: wire.Stored.of(values) for name, values in tensors.items()}
    aligned = wire.post_safetensors(http, f"{server}/v1/score", stored | {"response_mask": wire.Stored.of(*mask.values())})
    shifted = wire.post_safetensors(http, f"{server}/v1/score", {"response_mask": wire.Stored.of(*mask.values())} | stored)
    assert aligned.status_code == 200, aligned.text
    assert shifted.content == aligned.content

    for value, word in ((np.nan, "non-finite-value"), (0.5, "invalid-value")):
        wrong = tensors["removing.log_probs"].copy()
        wrong[2, 5] = value
        stored["removing.log_probs"] = wire.Stored.of(wrong)
        reply = wire.post_safetensors(
            http, f"{server}/v1/score", {"response_mask": wire.Stored.of(*mask.values())} | stored)
        errors = problem(reply, 422, word, "removing.log_probs")["errors"]
        assert [error["index"] for error in errors] == [[2, 5]]


def test_losses_come_as_tensors_without_dimensions_too(server, http):
    reply = post(http, f"{server}/v1/score", batch(), {"preset": "papo-g"})
    stored, _ = wire.read(reply.content)
    for name in golden.SCALARS:
        assert stored[name].dtype == "F64" and stored[name].shape == [], name
        assert float(stored[name].values) == result(reply)[name]


def test_gradients_are_those_of_the_returned_loss(server, http):
    """Central differences on the server's own numerator; ties and masks do not move, since entropies stay."""
    tensors = {k: v.astype(np.float64) for k, v in batch(5, 2, 6).items()}
    tensors["advantages"] = np.ones(2)
    options = {"preset": "cppo-verl", "tau": 0.5}
    out = load(post(http, f"{server}/v1/score", tensors, options).content)
    step = 1e-4
    for view in wire.VIEWS:
        for where in [(0, 1), (1, 4), (0, 5)]:
            losses = []
            for sign in (1, -1):
                moved = {k: v.copy() for k, v in tensors.items()}
                moved[f"{view}.log_probs"][where] += sign * step
                losses.append(result(post(http, f"{server}/v1/score", moved, options))["loss"])
            slope = (losses[0] - losses[1]) / (2 * step)
            assert out[f"grad.{view}.log_probs"][where] == pytest.approx(slope, rel=1e-4, abs=1e-6)


def test_packed_rows_equal_padded_rows(server, http):
    tensors = batch(7, 3, 8)
    lengths = [3, 8, 5]
    mask = np.array([[t < n for t in range(8)] for n in lengths])
    packed = {k: v[mask] for k, v in tensors.items() if k != "advantages"}
    packed |= {"advantages": tensors["advantages"], "cu_seqlens": np.cumsum([0, *lengths]).astype(np.int32)}
    url = f"{server}/v1/score"
    one = post(http, url, tensors | {"response_mask": mask})
    two = post(http, url, packed)
    left, right = load(one.content), load(two.content)
    for name, values in left.items():
        if name in golden.SCALARS:
            continue
        assert (values[mask] == right[name]).all(), name
        assert not values[~mask].any(), f"{name} is not 0 in the padding"
    assert result(one)["loss"] == result(two)["loss"]


def test_accept_chooses_the_form_of_the_reply(server, http):
    tensors = batch(9)
    url = f"{server}/v1/score"
    binary = post(http, url, tensors)
    text = post(http, url, tensors, headers={"Accept": "application/json"})
    assert text.headers["Content-Type"].split(";")[0] == "application/json"
    arrays = load(binary.content)
    for name, values in arrays.items():
        golden.assert_close(text.json()[name], values, 1e-7, name)
    back = http.post(
        url, json={k: v.tolist() for k, v in tensors.items()}, headers={"Accept": wire.MEDIA_TYPE}, timeout=30)
    for name, values in load(back.content).items():
        assert (values == arrays[name]).all(), name


def test_query_wins_over_the_body(server, http):
    reply = post(
        http, f"{server}/v1/score?tau=0.5&clamp_result=none&stop_gradient=original,removing", batch(),
        {"tau": 0.2, "top_k_ratio": 0.3})
    options = result(reply)["options"]
    assert (options["tau"], options["top_k_ratio"], options["clamp_result"]) == (0.5, 0.3, None)
    assert options["stop_gradient"] == ["original", "removing"]
    gradients = load(reply.content)
    assert not gradients["grad.original.log_probs"].any() and gradients["grad.preserving.log_probs"].any()


def test_return_leaves_out_what_is_not_asked_for(server, http):
    reply = post(http, f"{server}/v1/score", batch(), {"return": ["mask", "grad.removing.log_probs"]})
    assert set(load(reply.content)) - set(golden.SCALARS) == {"mask", "grad.removing.log_probs"}
    assert "loss" in result(reply)


def test_same_request_gives_the_same_bytes(server, http):
    tensors = batch(11)
    first, second = (post(http, f"{server}/v1/score", tensors).content for _ in range(2))
    assert first == second


def test_request_id_is_echoed_and_time_is_told(server, http):
    reply = post(http, f"{server}/v1/score", batch(), headers={"X-Request-ID": "step-17/rank-3"})
    assert reply.headers["X-Request-ID"] == "step-17/rank-3"
    named = {part.split(";")[0].strip() for part in reply.headers["Server-Timing"].split(",")}
    assert {"decode", "compute", "encode"} <= named


def test_unknown_option_names_the_nearest(server, http):
    body = problem(post(http, f"{server}/v1/score", batch(), {"top_k": 0.5}), 400, "unknown-option")
    assert "top_k_ratio" in body["detail"]


@pytest.mark.parametrize(
    "options, word",
    [
        ({"tau": 0}, "invalid-option"), ({"tau": -1}, "invalid-option"), ({"top_k_ratio": 1.5}, "invalid-option"),
        ({"estimator": "k4"}, "invalid-option"), ({"preset": "grpo"}, "invalid-option"),
        ({"clamp_result": 0}, "invalid-option"), ({"global_batch_size": 0}, "invalid-option"),
    ])
def test_options_out_of_range_are_refused(server, http, options, word):
    problem(post(http, f"{server}/v1/score", batch(), options), 422, word, next(iter(options)))


def test_shapes_that_differ_are_refused_with_both(server, http):
    tensors = batch()
    tensors["removing.log_probs"] = tensors["removing.log_probs"][:, :-1]
    body = problem(post(http, f"{server}/v1/score", tensors), 422, "invalid-shape", "removing.log_probs")
    assert "16" in json.dumps(body) and "17" in json.dumps(body)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["original.log_probs", "removing.entropy", "advantages"])
def test_numbers_that_are_not_finite_are_refused_with_their_place(server, http, value, name):
    tensors = batch()
    tensors[name].reshape(-1)[2] = value
    body = problem(post(http, f"{server}/v1/score", tensors), 422, "non-finite-value", name)
    assert body["errors"][0]["index"] == ([2] if name == "advantages" else [0, 2])


def test_missing_advantages_are_not_guessed(server, http):
    tensors = {k: v for k, v in batch().items() if k != "advantages"}
    problem(post(http, f"{server}/v1/score", tensors), 400, "missing-field", "advantages")


def test_full_kl_without_logits_says_what_is_missing(server, http):
    problem(post(http, f"{server}/v1/score", batch(), {"preset": "cppo-paper"}), 400, "missing-field", "logits")


@pytest.mark.parametrize(
    "body, word",
    [
        (b"", "malformed-json"), (b"{", "malformed-json"), (b'{"rollouts": [NaN]}', "malformed-json"),
        (b'{"options": {}, "options": {}, "rollouts": []}', "malformed-json"), (b"\xff\xfe", "malformed-json"),
        (b'{"options": ' + b"[" * 100_000, "malformed-json"), (b'{"original.entropy": [1e999]}', "malformed-json"),
        (b"[]", "invalid-type"), (b'{"rollouts": [1]}', "invalid-type"),
    ])
def test_malformed_json_is_refused(server, http, body, word):
    reply = http.post(
        f"{server}/v1/score", data=body, headers={"Content-Type": "application/json"}, timeout=30)
    problem(reply, 400, word)


def header(text, data=b""):
    text = text.encode()
    return len(text).to_bytes(8, "little") + text + data


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\0" * 7, (1 << 63).to_bytes(8, "little"), (100_000_001).to_bytes(8, "little") + b"{}",
        header("{}", b"tail"), header("not json"), header('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', b"1234"),
        header('{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', b"12345678"),
        header('{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}', b"1234"),
        header('{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}'),
        header('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', b"12"),
    ])
def test_malformed_safetensors_are_refused(server, http, body):
    reply = http.post(f"{server}/v1/score", data=body, headers={"Content-Type": wire.MEDIA_TYPE}, timeout=30)
    problem(reply, 400, "malformed-safetensors")


def test_other_media_types_and_encodings_are_refused(server, http):
    url = f"{server}/v1/score"
    problem(http.post(url, data=b"x", headers={"Content-Type": "text/csv"}, timeout=30), 415, "unsupported-media-type")
    reply = http.post(
        url, data=b"x", headers={"Content-Type": "application/json", "Content-Encoding": "gzip"}, timeout=30)
    problem(reply, 415, "unsupported-encoding")
