"""What users of TRL see in the log, and what is refused before a run begins."""

import json

import pytest
from training import GRPO, RLOO, made, train

import tiny_model
from perception_client.safetensors_file import decode
from perception_client.trainers import versions

CURVES = ("loss", "objective", "tokens", "candidates", "selected", "gated", "mean_delta_entropy", "mean_contrast", "server_ms",
          "skipped", "views_seconds", "views_waited_seconds", "equal_views/original_removing")  # fmt: skip


def test_curves_stand_beside_trls_own(client, tmp_path):
    run = train(GRPO, tmp_path, client=client)
    for name in CURVES:
        assert len(run.curve(f"perception/{name}")) == 2, name
    first = {name: run.curve(f"perception/{name}")[0] for name in CURVES}
    assert first["objective"] == pytest.approx(0.01 * first["loss"]) and first["loss"] > 0
    assert first["tokens"] >= first["candidates"] >= first["selected"] >= first["gated"] > 0
    assert 0 < first["server_ms"] < 1000 and first["equal_views/original_removing"] < 1


def test_entropy_terms_have_curves(client, tmp_path):
    run = train(RLOO, tmp_path, client=client, settings={"preset": "papo-g"}, max_steps=1)
    assert run.curve("perception/entropy_loss/original")[0] > 0 and run.curve("perception/entropy_loss/removing")[0] > 0


def test_a_heat_map_every_so_many_steps(client, tmp_path):
    train(GRPO, tmp_path, client=client, settings={"heatmap_every": 2}, max_steps=3)
    files = sorted((tmp_path / "perception").iterdir())
    assert [file.name for file in files] == ["step-000000.html", "step-000002.html"]
    page = files[0].read_text()
    assert page.startswith("<!doctype html>") and page.count('class="t"') >= 4 * 24


def sent(client, tmp_path, settings):
    """The metadata of what was sent to /v1/score."""
    requests, send = [], client._transport.send

    def watched(call):
        if call.path.startswith("/v1/score"):
            requests.append(decode(b"".join(bytes(x) for x in call.pieces))[1])
        return send(call)

    client._transport.send = watched
    trainer = made(GRPO, tmp_path, client=client, settings=settings, max_steps=1)
    trainer.train()
    return requests


def test_tokens_are_sent_when_asked_for(client, tmp_path):
    requests = sent(client, tmp_path, {"send_tokens": True})
    assert len(requests) == 2
    for metadata in requests:
        rows = json.loads(metadata["tokens"])
        assert len(rows) == 4 and all(len(row) == 24 and all(isinstance(t, str) for t in row) for row in rows)


def test_no_text_leaves_the_trainer_otherwise(client, tmp_path):
    requests = sent(client, tmp_path, {})
    assert requests and all("tokens" not in metadata for metadata in requests)


def test_what_cannot_be_is_refused_before_the_first_step(client, tmp_path):
    for settings, message in (
        ({"mode": "rows"}, "TRL has direct, grad_cache, detached"),
        ({"preset": "cppo-paper"}, "over the vocabulary"),
        ({"preset": "papo-x"}, "the server has bips-consistency"),
        ({"recipes": {"preserving": "cppo-preserving"}}, "needs preserving, removing"),
    ):
        with pytest.raises(ValueError, match=message):
            made(GRPO, tmp_path, client=client, settings=settings)
    with pytest.raises(TypeError, match="there is no setting taw"):
        made(GRPO, tmp_path, client=client, settings={"taw": 1})
    with pytest.raises(ValueError, match="one ratio for a whole completion"):
        made(RLOO, tmp_path, client=client, settings={"preset": "vppo"})


def test_a_fused_loss_is_refused_where_trl_has_one(client, tmp_path):
    """Early releases compute the loss in Liger's kernel, which gives no log-probabilities; in later ones it passes the hook.

    Liger's kernels need a GPU, so that the trainer is made without, and asked with.
    """
    trainer = made(GRPO, tmp_path, client=client)
    trainer.args.use_liger_kernel = True
    if hasattr(trainer, "compute_liger_loss"):
        with pytest.raises(ValueError, match="use_liger_kernel"):
            trainer._perception_steps._refuse()
    else:
        trainer._perception_steps._refuse()


def test_a_trainer_that_does_not_pass_the_hook_is_noticed(client, tmp_path):
    trainer = made(GRPO, tmp_path, client=client, rows=tiny_model.rows(4))
    steps, loss = trainer._perception_steps, trainer._perception_steps.loss
    steps.loss = lambda own, model, batch: loss(lambda *_: model.lm_head.weight.sum(), model, batch)
    with pytest.raises(RuntimeError, match="without _get_per_token_logps_and_entropies"):
        trainer.train()


def test_other_releases_are_refused(monkeypatch, caplog):
    assert versions.require("trl", "1.0", "1.16")
    for oldest, newest in (("0.1", "0.29"), ("2.0", "2.1")):
        monkeypatch.delenv(versions.OVERRIDE, raising=False)
        with pytest.raises(versions.UntestedTrainer, match=f"tested with {oldest} … {newest}"):
            versions.require("trl", oldest, newest)
        monkeypatch.setenv(versions.OVERRIDE, "1")
        versions.require("trl", oldest, newest)
        assert f"tested with {oldest} … {newest}" in caplog.text
    with pytest.raises(versions.UntestedTrainer, match="not installed"):
        versions.require("no-such-trainer", "1", "2")
