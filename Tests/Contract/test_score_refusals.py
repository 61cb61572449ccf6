"""The error that /v1/score gives for each mistake: options, shapes, values, missing tensors, damaged bodies."""

import json

import numpy as np
import pytest

import wire
from score_requests import batch, post, problem


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
