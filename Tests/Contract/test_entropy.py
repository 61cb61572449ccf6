"""/v1/entropy as clients use it; the numbers themselves are in test_golden."""

import numpy as np
import pytest
from safetensors.numpy import load, save

import golden
import twin
import wire


def post(http, server, tensors, query=""):
    return http.post(
        f"{server}/v1/entropy{query}", data=save(tensors), headers={"Content-Type": wire.MEDIA_TYPE}, timeout=60)


def test_several_views_in_one_request(server, http):
    random = np.random.default_rng(3)
    tensors = {f"{v}.logits": random.normal(0, 3, (2, 5, 100)).astype(np.float32) for v in wire.VIEWS}
    tensors["token_ids"] = random.integers(0, 100, (2, 5))
    out = load(post(http, server, tensors).content)
    for view in wire.VIEWS:
        expected = twin.statistics(tensors[f"{view}.logits"], ids=tensors["token_ids"])
        for name, values in expected.items():
            golden.assert_close(out[f"{view}.{name}"], values, 1e-6, name, 1.0)
            assert out[f"{view}.{name}"].shape == (2, 5)
    assert len(out) == 9


def test_packed_rows_and_temperature_in_the_query(server, http):
    logits = np.random.default_rng(4).normal(0, 3, (7, 1000)).astype(np.float16)
    out = load(post(http, server, {"logits": logits}, "?temperature=0.7&return=entropy").content)
    assert set(out) == {"entropy"} and out["entropy"].shape == (7,)
    golden.assert_close(out["entropy"], twin.statistics(logits, 0.7)["entropy"], 2e-6, "entropy", 1.0)


@pytest.mark.parametrize("rubbish", [np.nan, np.inf])
def test_logits_that_are_no_distribution_are_refused(server, http, rubbish):
    logits = np.zeros((1, 3, 8), np.float32)
    logits[0, 1, 5] = rubbish
    reply = post(http, server, {"logits": logits})
    assert reply.status_code == 422 and reply.json()["type"] == "non-finite-value"
    assert reply.json()["errors"][0]["index"][:2] == [0, 1]


def test_row_without_a_finite_logit_is_refused(server, http):
    logits = np.zeros((1, 3, 8), np.float32)
    logits[0, 2] = -np.inf
    reply = post(http, server, {"logits": logits})
    assert reply.status_code == 422 and reply.json()["errors"][0]["index"][:2] == [0, 2]


@pytest.mark.parametrize("token", [-1, 8])
def test_token_outside_the_vocabulary_is_refused(server, http, token):
    ids = np.array([[0, token, 1]])
    reply = post(http, server, {"logits": np.zeros((1, 3, 8), np.float32), "token_ids": ids})
    assert reply.status_code == 422 and reply.json()["errors"][0]["index"] == [0, 1]
