"""What the engine refuses, and what it says one should do."""

import pytest
import rollouts
import training
from areal.api.cli_args import MicroBatchSpec

from perception_client.trainers.areal import PerceptionPPOActor
from perception_client.trainers.areal.packing import keeps_rows_apart
from perception_client.trainers.versions import UntestedTrainer


def test_packed_rows_are_refused_where_attention_crosses_their_borders(folder, batches, settings):
    engine = training.made(PerceptionPPOActor, folder, mb_spec=MicroBatchSpec(n_mbs=1))
    with pytest.raises(ValueError, match=r"4 packed rows, which see each other with attn_impl='sdpa': set attn_impl to"):
        engine.compute_logp(batches[0])


@pytest.mark.parametrize(
    ("attention", "keeps"),
    [("sdpa", False), ("eager", False), ("flex_attention", False), ("flash_attention_2", True),
     ("flash_attention_3", True), ("kernels-community/flash-attn2", True)])  # fmt: skip
def test_attention_with_borders_keeps_rows_apart(attention, keeps):
    assert keeps_rows_apart(attention) is keeps


def test_rollouts_without_views_are_refused(folder, batches, settings):
    bare = [{k: v for k, v in t.items() if "view" not in k} for t in batches[0]]
    engine = training.made(PerceptionPPOActor, folder)
    with pytest.raises(ValueError, match="rows with pictures and without views of them: let the rollouts come from"):
        training.step(engine, bare)


def test_views_with_other_image_tokens_are_refused(folder, batches, settings):
    name = "multi_modal_input_view_removing"
    turned = [entry | {"image_grid_thw": entry["image_grid_thw"][:, [0, 2, 1]]} for entry in batches[0][0][name]]
    swapped = [batches[0][0] | {name: turned}, batches[0][1]]
    engine = training.made(PerceptionPPOActor, folder)
    with pytest.raises(ValueError, match="removing: image_grid_thw is"):
        engine.compute_logp(swapped)


@pytest.mark.parametrize(
    ("preset", "says"),
    [("bips-consistency", "preset bips-consistency looks at rewards"), ("cppo-paper", "estimator full_kl")])
def test_presets_that_need_more_than_the_engine_has_are_refused(folder, batches, settings, preset, says):
    settings(preset=preset)
    engine = training.made(PerceptionPPOActor, folder)
    with pytest.raises(ValueError, match=says):
        training.step(engine, batches[0])


def test_a_policy_loss_of_sequences_with_a_preset_that_leaves_tokens_out_is_refused(folder, batches, settings):
    settings(preset="vppo")
    engine = training.made(PerceptionPPOActor, folder, importance_sampling_level="sequence")
    with pytest.raises(ValueError, match="importance_sampling_level=sequence averages the advantages of a sequence: set it to"):
        training.step(engine, batches[0])


def test_modes_of_other_trainers_are_refused(folder, settings):
    settings(mode="rows")
    with pytest.raises(ValueError, match="mode rows: AReaL's engine offers direct and grad_cache"):
        PerceptionPPOActor(training.config(folder))


def test_another_normalisation_than_areals_is_refused(folder, settings):
    settings(normalise="sequences")
    with pytest.raises(ValueError, match="normalise sequences: AReaL weights each micro-batch by its response tokens"):
        PerceptionPPOActor(training.config(folder))


def test_views_for_each_rollout_are_refused(folder, url):
    with pytest.raises(ValueError, match="per_rollout: this trainer runs each rollout for itself"):
        rollouts.workflow(folder, perception={"url": url, "per_rollout": True}).groups  # noqa: B018


def test_tree_training_is_refused(folder, settings):
    with pytest.raises(ValueError, match="enable_tree_training"):
        PerceptionPPOActor(training.config(folder, enable_tree_training=True, pad_to_maximum=True))


def test_other_releases_are_refused_and_may_be_tried(folder, settings, monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", lambda name: "1.1.0")
    with pytest.raises(UntestedTrainer, match=r"areal 1.1.0 is installed, and this adapter was tested with 1.0.4"):
        PerceptionPPOActor(training.config(folder))
    settings(untested_trainer=1)
    PerceptionPPOActor(training.config(folder))
