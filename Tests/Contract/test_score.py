"""What a trainer gets from /v1/score: the numbers of the twin, in the form that it asked for."""

import json

import numpy as np
import pytest
from safetensors.numpy import load

import golden
import score_draws
import twin
import wire
from score_requests import batch, post, problem, result

PRESETS = sorted(twin.PRESETS)


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
