"""The numeric endpoints against a running server: what trainers hold goes in, NumPy comes out."""

import numpy as np
import pytest

from perception_client import InvalidRequest, Perception, ServerError
from perception_client.safetensors_file import MEDIA_TYPE


def test_a_score_has_the_loss_its_gradients_and_the_masks(client, batch):
    score = client.score(**batch, tau=0.2)
    assert score.options["tau"] == 0.2
    assert score.loss == pytest.approx(score.loss_numerator / score.loss_denominator)
    assert score.weighted_loss == pytest.approx(score.loss * score.options["coefficient"])
    assert score.gated == int(score.mask.sum()) > 0
    assert np.array_equal(score.mask, score.perception_mask & score.gate)
    assert set(score.grad) == {"original", "preserving", "removing"}
    assert all(g.shape == (4, 48) and g.dtype == np.float32 for g in score.grad.values())
    assert np.all(score.grad["original"][score.mask == 0] == 0)
    carried = float((score.token_loss * score.mask).sum())
    assert carried == pytest.approx(score.loss_numerator, rel=1e-6)
    assert score.server_ms > 0 and score.request_id


def test_gradients_are_those_of_the_loss(client, batch):
    """Central differences in float64 along a random direction."""
    r = np.random.default_rng(1)
    wide = {v: x.astype("f8") for v, x in batch["log_probs"].items()}
    step = {v: r.normal(size=x.shape) for v, x in wide.items()}
    at = client.score(**batch | {"log_probs": wide})

    def loss(h):
        moved = {v: np.minimum(wide[v] + h * step[v], 0) for v in wide}
        return client.score(**batch | {"log_probs": moved}, return_=[]).loss

    slope = (loss(1e-6) - loss(-1e-6)) / 2e-6
    assert slope == pytest.approx(sum(float((at.grad[v] * step[v]).sum()) for v in wide), rel=1e-4)


@pytest.mark.parametrize("full", [False, True])
def test_gradients_that_came_as_bf16_are_f32_in_numpy(client, batch, full):
    given = batch
    if full:
        r = np.random.default_rng(5)
        given = {"logits": {v: r.normal(size=(2, 3, 50)).astype("f4") for v in batch["log_probs"]}, "gate": "none"}
        given |= {"preset": "cppo-paper", "detector": "none"}
    wide, narrow = client.score(**given), client.score(**given, result_type="BF16")
    name = "logits" if full else "log_probs"
    for view in batch["log_probs"]:
        stored = narrow.arrays.stored(f"grad.{view}.{name}")
        bits = wide.arrays[f"grad.{view}.{name}"].view(np.uint32)
        halves = ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint32)
        found = (narrow.grad_logits if full else narrow.grad)[view]
        assert stored.dtype == "BF16" and found.dtype == np.float32
        assert np.array_equal(found.view(np.uint32), halves << 16)
    assert narrow.loss == wide.loss and narrow.options["result_type"] == "BF16"


def test_arrays_of_an_answer_are_a_mapping_that_travels(client, batch):
    import pickle

    score = client.score(**batch, result_type="BF16")
    assert "mask" in score.arrays and "nothing" not in score.arrays and score.arrays.get("nothing") is None
    assert score.mask is score.mask and len(score.arrays) == len(list(score.arrays))
    moved = pickle.loads(pickle.dumps(score))
    assert moved.arrays.keys() == score.arrays.keys() and np.array_equal(moved.grad["removing"], score.grad["removing"])
    assert np.array_equal(moved.stored_gradient("removing.log_probs"), score.grad["removing"])
    with pytest.raises(KeyError):
        score.arrays["nothing"]


@pytest.mark.parametrize("kind", ["bool", "f4", "f8", "i8", "i4", "u1", "u2", "i2", "f2"])
def test_masks_come_in_any_type(client, batch, kind):
    expected = client.score(**batch)
    found = client.score(**batch | {"response_mask": batch["response_mask"].astype(kind)})
    assert found.loss == expected.loss and np.array_equal(found.mask, expected.mask)


def test_a_mask_of_shares_is_refused_before_it_is_sent(client, batch):
    with pytest.raises(ValueError, match="response_mask: a mask holds 0 and 1, not 0.5"):
        client.score(**batch | {"response_mask": np.full((4, 48), 0.5)})


@pytest.mark.parametrize("kind", ["f2", "f8", "i8", "i4"])
def test_advantages_come_in_any_type(client, batch, kind):
    whole = np.array([1, -1, 0, 2])
    expected = client.score(**batch | {"advantages": whole.astype("f4")})
    assert client.score(**batch | {"advantages": whole.astype(kind)}).loss == expected.loss


@pytest.mark.parametrize("form", ["[B,1]", "[B,T]", "list"])
def test_advantages_come_in_any_shape(client, batch, form):
    a = batch["advantages"]
    given = {"[B,1]": a[:, None], "[B,T]": np.broadcast_to(a[:, None], (4, 48)), "list": a.tolist()}[form]
    assert client.score(**batch | {"advantages": given}).loss == client.score(**batch).loss


def test_transposed_and_strided_arrays_are_written_right(client, batch):
    expected = client.score(**batch)
    log_probs = {v: np.asfortranarray(x) for v, x in batch["log_probs"].items()}
    wide = np.zeros((4, 96), "f4")
    wide[:, ::2] = batch["entropy"]["original"]
    entropy = batch["entropy"] | {"original": wide[:, ::2]}
    found = client.score(**batch | {"log_probs": log_probs, "entropy": entropy})
    assert found.loss == expected.loss


def test_one_array_may_stand_under_two_names(client, batch):
    same = batch["log_probs"]["original"]
    score = client.score(**batch | {"log_probs": dict.fromkeys(("original", "preserving", "removing"), same)})
    assert score.loss == pytest.approx(np.log(2), rel=1e-6)


def test_packed_tensors(client, batch):
    lengths = [48, 31, 48, 5]
    flat = {
        name: {v: np.concatenate([x[b, :n] for b, n in enumerate(lengths)]) for v, x in batch[name].items()}
        for name in ("log_probs", "entropy")
    }
    edges = np.cumsum([0, *lengths])
    packed = client.score(**flat, cu_seqlens=edges, advantages=batch["advantages"])
    padded = client.score(**batch)
    assert packed.loss == pytest.approx(padded.loss, rel=1e-12)
    assert packed.mask.shape == (132,)


def test_none_is_null_and_not_left_out(client, batch):
    assert client.score(**batch).options["clamp_input"] == 20
    assert client.score(**batch, clamp_input=None).options["clamp_input"] is None


def test_lists_tuples_and_numpy_numbers_are_options(client, batch):
    score = client.score(**batch, stop_gradient=("removing",), tau=np.float32(0.5), return_=["mask", "grad"])
    assert score.options["stop_gradient"] == ["removing"] and score.options["tau"] == 0.5
    assert set(score.arrays) == {"mask"} | {f"grad.{v}.log_probs" for v in batch["log_probs"]}
    assert score.token_loss is None


def test_left_out_arrays_are_fetched_when_they_are_wanted(client, batch):
    part = client.score(**batch, return_=["mask"])
    assert part.full() is part  # numbers.score keeps no request; only losses do


@pytest.mark.parametrize(
    ("wrong", "near"),
    [("completion_mask", "response_mask"), ("respons_mask", "response_mask"), ("old_log_probs", "old")],
)
def test_a_misspelt_tensor_is_refused_with_the_nearest_name(client, batch, wrong, near):
    with pytest.raises(TypeError, match=f"{wrong}: there is no tensor of this name; did you mean {near}"):
        client.score(**batch, **{wrong: np.ones((4, 48))})


def test_the_servers_detail_is_printed(client, batch):
    with pytest.raises(InvalidRequest) as caught:
        client.score(**batch | {"advantages": np.zeros(3, "f4")}, tua=1)
    error = caught.value
    assert error.status in (400, 422) and error.request_id
    assert 'did you mean "tau"' in str(error) and error.request_id in str(error)
    assert error.errors[0]["field"] == "tua"


def test_every_reason_is_printed(client, batch):
    with pytest.raises(ServerError) as caught:
        client.score(**batch | {"advantages": np.full(4, np.nan), "log_probs": {}})
    assert len(caught.value.errors) > 1 and "also:" in str(caught.value)


def test_masks(client, batch):
    given = {k: v for k, v in batch.items() if k != "log_probs"}
    mask = client.mask(**given)
    score = client.score(**batch)
    assert np.array_equal(mask.mask, score.mask) and mask.gated == score.gated
    assert np.array_equal(mask.delta_entropy, score.delta_entropy)


def test_entropies_of_one_and_of_several_views(client):
    logits = np.array([[[0, 0, 0, 0], [2, 1, 0, -1]]], "f4")
    one = client.entropy(logits, token_ids=[[2, 0]])
    assert one.entropy[""] == pytest.approx(np.array([[1.3862944, 0.94753695]]), abs=1e-6)
    assert one.log_probs[""][0, 1] == pytest.approx(-0.4401897, abs=1e-6)
    two = client.entropy({"original": logits, "removing": logits * 0}, temperature=2)
    assert set(two.entropy) == {"original", "removing"} and two.log_probs == {}
    assert two.options["temperature"] == 2


def test_group_ids_may_be_text_objects_or_numbers(client):
    expected = [0.7071058, -0.7071058, -0.7071058, 0.7071058]
    names = ["a", "a", "b", "b"]
    for ids in (names, np.array(names), np.array(names, object), [7, 7, 9, 9], np.array([[1], [1], [2], [2]])):
        result = client.advantages([1, 0, 0, 1], ids)
        assert result.advantages == pytest.approx(np.array(expected), abs=1e-5)


def test_the_catalogue(client):
    info = client.info()
    assert info.name == "perception-server" and info.limits["max_runs"] == 64
    assert "cppo-verl" in client.presets() and client.presets()["cppo-areal"].options["estimator"] == "k1"
    recipes = client.recipes()
    assert recipes.recipes["cppo-removing"].view == "removing" and "rotation" in recipes.steps


def test_every_posting_operation_of_the_contract_has_a_method(client):
    info = client.info()
    # What /live shows is for its page.
    paths = {r["path"] for r in info.more["routes"] if r["path"].startswith("/v1/") and "/live" not in r["path"]}
    methods = {"/v1/score": "score", "/v1/mask": "mask", "/v1/entropy": "entropy", "/v1/advantages": "advantages"}
    methods |= {"/v1/perturb": "perturb", "/v1/presets": "presets", "/v1/recipes": "recipes", "/v1/info": "info"}
    methods |= {"/v1/recipes/{name}/preview": "sheet"}
    assert paths <= set(methods)
    assert all(callable(getattr(Perception, m)) for m in methods.values())
    assert MEDIA_TYPE in info.formats["requests"]


def test_empty_batches_are_legal(client):
    nothing = np.zeros((0, 4), "f4")
    views = ("original", "preserving", "removing")
    score = client.score(log_probs=dict.fromkeys(views, nothing), detector="none", gate="none")
    assert score.loss == 0 and score.mask.shape == (0, 4)


def test_numbers_of_the_other_byte_order_are_turned(client, batch):
    turned = {v: x.astype(">f4") for v, x in batch["log_probs"].items()}
    assert client.score(**batch | {"log_probs": turned}).loss == client.score(**batch).loss
