"""What trainers' adapters share and needs no torch: settings, needs, the log, tested releases."""

import importlib.metadata
import json

import numpy as np
import pytest

from perception_client import Perception, Score
from perception_client.trainers import reporting, versions
from perception_client.trainers.needs import needs
from perception_client.trainers.settings import TrainerSettings


def test_settings_come_from_arguments_then_variables_then_defaults(monkeypatch):
    monkeypatch.setenv("PERCEPTION_MODE", "grad_cache")
    monkeypatch.setenv("PERCEPTION_OPTIONS", '{"tau": 0.2}')
    monkeypatch.setenv("PERCEPTION_HEATMAP_EVERY", "50")
    monkeypatch.setenv("PERCEPTION_SEND_TOKENS", "1")
    found = TrainerSettings.of({"mode": "detached", "on-error": "skip"}, seed=3)
    assert (found.mode, found.on_error, found.seed) == ("detached", "skip", 3)
    assert (found.options, found.heatmap_every, found.send_tokens, found.preset) == ({"tau": 0.2}, 50, True, "cppo-verl")
    assert TrainerSettings.of(found, mode="rows").mode == "rows" and TrainerSettings.of(found).seed == 3
    assert TrainerSettings.of({"coefficient": 0.5}).loss == {"preset": "cppo-verl", "coefficient": 0.5, "tau": 0.2}


@pytest.mark.parametrize(
    "variable, value",
    [("MODE", "indirect"), ("ON_ERROR", "ignore"), ("SEED", "one"), ("OPTIONS", "tau=1"), ("SEND_TOKENS", "maybe"),
     ("NORMALISE", "all")],
)  # fmt: skip
def test_a_variable_that_means_nothing_is_refused(monkeypatch, variable, value):
    monkeypatch.setenv(f"PERCEPTION_{variable}", value)
    with pytest.raises(ValueError, match=value):
        TrainerSettings.of()


def test_a_setting_that_does_not_exist_is_refused():
    with pytest.raises(TypeError, match="no setting presets; there are url"):
        TrainerSettings.of({"presets": "papo-g"})
    with pytest.raises(ValueError, match="preset: a setting of its own"):
        TrainerSettings(options={"preset": "papo-g"})
    with pytest.raises(ValueError, match="heatmap_every"):
        TrainerSettings(heatmap_every=-1)


def test_the_client_is_the_settings(url):
    client = TrainerSettings.of({"url": url, "run": "a run", "on_error": "skip", "deadline": 7}).client()
    assert client.on_error == "skip" and client.settings.deadline == 7 and client.info().version


@pytest.mark.parametrize(
    "preset, graph, constant, entropy, recipes",
    [
        ("cppo-verl", ("original", "preserving", "removing"), (), ("original", "removing"),
         {"preserving": "cppo-preserving", "removing": "cppo-removing"}),
        ("cppo-areal", ("original", "preserving", "removing"), (), ("original", "removing"),
         {"preserving": "cppo-preserving-areal", "removing": "cppo-removing"}),
        ("papo-g", ("original",), ("removing",), (), {"removing": "papo-removing"}),
        ("papo-recompute", ("original", "removing"), (), (), {"removing": "papo-removing"}),
        ("vppo", ("original",), ("removing",), (), {"removing": "vppo-removing"}),
        ("bips-consistency", ("original",), ("preserving",), (), {"preserving": "cppo-preserving"}),
        ("bips-separation", ("original",), ("removing",), (), {"removing": "cppo-removing"}),
    ],
)  # fmt: skip
def test_what_a_preset_needs(client, preset, graph, constant, entropy, recipes):
    settings = TrainerSettings(preset=preset)
    wanted = settings.needs(client)
    assert (wanted.graph, wanted.constant, wanted.entropy) == (graph, constant, entropy)
    assert wanted.rewards == (preset == "bips-consistency") and wanted.shaping == (preset == "vppo")
    assert wanted.advantages == preset.startswith("cppo") and settings.recipes_for(wanted) == recipes
    assert set(client.recipes().recipes) >= set(recipes.values())


@pytest.mark.parametrize(
    "preset, option, views",
    [
        ("cppo-verl", {}, ()),
        ("vppo", {}, ("original", "removing")),
        # The removing view has a gradient there, and the scale is of what the old policy says of it.
        ("cppo-verl", {"detector": "divergence", "advantage_shaping": "dependency"}, ("original", "removing")),
    ],
)
def test_what_a_changed_policy_loss_needs_of_the_old_policy(client, preset, option, views):
    wanted = needs(client, preset, **option)
    assert wanted.shaping == bool(views) and wanted.old == views


@pytest.mark.parametrize(
    "preset, option, words",
    [
        ("cppo-verl", {"detector": "given"}, "no perception mask to give"),
        ("cppo-verl", {"policy_tokens": "perception"}, "Use the detector divergence"),
        ("vppo", {"detector": "none", "advantage_shaping": "none"}, "no view but the original"),
    ],
)
def test_what_no_adapter_can_do_is_refused_at_the_start(client, preset, option, words):
    with pytest.raises(ValueError, match=words):
        TrainerSettings(preset=preset, options=option).needs(client)


def test_presets_are_asked_for_once(url):
    with Perception(url) as client:
        sent, send = [], client._transport.send
        client._transport.send = lambda call: sent.append(call.path) or send(call)
        for preset in ("cppo-verl", "papo-g", "cppo-verl"):
            needs(client, preset)
        assert sent.count("/v1/presets") == 1


def score(tokens):
    """A reply as the server writes it for a batch of so many response tokens."""
    share = 0.25 if tokens else None
    diagnostics = {"tokens": tokens, "gated": 0, "mean_contrast": None, "equal_views": {"original_removing": share}}
    return Score(scalars={"loss": 0.5, "objective": 0.1, "diagnostics": diagnostics, "entropy_loss": {"original": 2.0}}, server_ms=0.3)


def test_a_batch_without_tokens_has_a_log_too():
    found = reporting.metrics(score(0))
    assert found["perception/loss"] == 0.5 and "perception/equal_views/original_removing" not in found
    assert reporting.metrics(score(4), 2, "p_")["p_equal_views/original_removing"] == 0.25
    assert reporting.metrics(Score(skipped=True), 2) == {"perception/skipped": 2.0}


def test_every_name_in_the_log_is_known_beforehand(client):
    wanted = needs(client, "papo-g")
    assert set(reporting.metrics(score(4))) <= reporting.names(wanted)


def test_heat_maps_are_due_once_on_the_first_rank(tmp_path):
    arrays = {"mask": np.ones((1, 3), np.uint8), "token_loss": np.ones((1, 3), np.float32)}
    found = Score(arrays=arrays, scalars=score(3).scalars)
    maps = reporting.HeatMaps(tmp_path / "maps", 10)
    asked = []
    files = [maps.write(step, found, lambda: asked.append(1) or [["a", "<b>", "c"]]) for step in (9, 10, 10, 11, 20)]
    assert [f and f.name for f in files] == [None, "step-000010.html", None, None, "step-000020.html"] and len(asked) == 2
    assert "&lt;b&gt;" in files[1].read_text()
    assert reporting.HeatMaps(tmp_path, 10, rank=1).write(10, found) is None and reporting.HeatMaps(tmp_path, 0).write(10, found) is None


def test_a_heat_map_that_fails_stops_no_training(tmp_path, caplog):
    (tmp_path / "taken").write_text("")
    assert reporting.HeatMaps(tmp_path / "taken", 1).write(1, score(3)) is None
    assert "no heat map of step 1" in caplog.text


@pytest.mark.parametrize(
    "installed, fits", [("1.0.0", True), ("1.16.3", True), ("1.17.0", False), ("0.29.1", False), ("1.16.0rc1", True)]
)
def test_the_range_of_releases(monkeypatch, installed, fits):
    monkeypatch.setattr(importlib.metadata, "version", lambda _: installed)
    monkeypatch.delenv(versions.OVERRIDE, raising=False)
    if fits:
        assert versions.require("trl", "1.0", "1.16") == installed
    else:
        with pytest.raises(versions.UntestedTrainer, match=r"tested with 1\.0 … 1\.16"):
            versions.require("trl", "1.0", "1.16")


def test_variables_are_read_as_json(monkeypatch):
    monkeypatch.setenv("PERCEPTION_RECIPES", json.dumps({"removing": "papo-removing"}))
    settings = TrainerSettings.of({"preset": "papo-g"})
    assert settings.recipes == {"removing": "papo-removing"}
