"""verl's own worker, `ActorRolloutRefWorker`, configured by verl's own files: without Ray and without a rollout engine."""

import pytest
import torch


@pytest.fixture(scope="module")
def worker(group, folder, url):
    """The actor's worker; its engine asks the server."""
    import configuration
    from verl.workers.engine_workers import ActorRolloutRefWorker

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PERCEPTION_URL", url)
        patch.setenv("PERCEPTION_PRESET", "cppo-verl")
        patch.setenv("PERCEPTION_HEATMAP_EVERY", "2")
        folder_of_maps = folder.parent / "maps"
        patch.setenv("PERCEPTION_HEATMAP_FOLDER", str(folder_of_maps))
        made = ActorRolloutRefWorker(config=configuration.composed(folder).actor_rollout_ref, role="actor")
        made.init_model()
        made.maps = folder_of_maps
        yield made


def test_update_actor_takes_three_steps_and_reports_them(worker, folder, rows_and_plain):
    """The parameters are those of plain PyTorch, and the numbers have the names that verl's loggers will show."""
    import mini_batch
    import training
    from verl.utils import tensordict_utils as tu
    from verl.utils.metric.utils import reduce_metrics
    from verl.utils.py_functional import rename_dict

    rows, plain = rows_and_plain
    data = mini_batch.tensordict(rows, worker.actor.model_config.processor)
    tu.assign_non_tensor(
        data, mini_batch_size=8, epochs=1, seed=1, dataloader_kwargs={"shuffle": False}, compute_loss=True)  # fmt: skip
    log_probs = worker.compute_log_prob(data.copy())["log_probs"]
    assert log_probs.is_nested and len(log_probs.unbind()) == 8
    for _ in range(3):
        # As the trainer has it: RayPPOTrainer._update_actor.
        said = reduce_metrics(rename_dict(tu.get(worker.update_actor(data.copy()), "metrics"), "actor/"))
    assert training.apart(training.parameters(worker.actor.engine), plain["cppo-verl"]) < 1e-5
    for name in ("loss", "objective", "tokens", "gated", "mean_delta_entropy", "server_ms", "skipped", "views_waited_s"):
        assert f"actor/perception/{name}" in said, sorted(said)
    assert 0 < said["actor/perception/gated"] < said["actor/perception/tokens"]
    assert said["actor/perception/loss"] > 0 and said["actor/perception/skipped"] == 0
    # Steps 1 … 3 were taken: one heat map, of step 2, with the tokens' text.
    assert [f.name for f in worker.maps.iterdir()] == ["step-000002.html"]
    page = (worker.maps / "step-000002.html").read_text()
    assert "ΔH" in page and page.count('class="t"') == 2 * 12 - 1


def test_advantages_go_with_the_tokens_text(group, folder, rows_and_plain, settings):
    """PAPO's loss has no use for them; people who look at the batch have."""
    import mini_batch
    import training

    settings(preset="papo-g", send_tokens=1)
    engine = training.engine(folder)
    asked, own = [], engine.perception.client.objective
    engine.perception.client.objective = lambda *given, **named: asked.append(named) or own(*given, **named)
    training.steps(engine, mini_batch.tensordict(rows_and_plain[0], engine.model_config.processor), 1)
    assert len(asked) == 4
    assert all(one["advantages"].shape == one["response_mask"].shape and one["tokens"] for one in asked)


def test_the_reference_worker_drops_the_views(group, folder, rows_and_plain, settings, monkeypatch):
    """Views travel with the batch to the reference policy, too, and the model must not see them."""
    import configuration
    import mini_batch
    from verl.utils import tensordict_utils as tu
    from verl.workers.engine_workers import ActorRolloutRefWorker

    settings(url="http://127.0.0.1:9")  # asks nobody
    # FSDP offloads the reference policy to pinned memory, which a machine without an accelerator has not.
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self, *_: self)
    ref = "actor_rollout_ref.ref"
    config = configuration.composed(
        folder, f"{ref}.log_prob_micro_batch_size_per_gpu=2", f"{ref}.fsdp_config.strategy=fsdp2", f"{ref}.strategy=fsdp2",
        f"{ref}.log_prob_use_dynamic_bsz=False", f"+{ref}.fsdp_config.mixed_precision={configuration.PRECISION}",
        f"{ref}.use_torch_compile=False", f"{ref}.fsdp_config.use_torch_compile=False")  # fmt: skip
    worker = ActorRolloutRefWorker(config=config.actor_rollout_ref, role="ref")
    worker.init_model()
    assert type(worker.ref.engine).__name__ == "PerceivingEngine"
    rows, _ = rows_and_plain
    bare = [{**r, "multi_modal_inputs": {k: v for k, v in r["multi_modal_inputs"].items() if k[:11] != "perception."}} for r in rows]
    found = []
    for some in (rows, bare):
        data = mini_batch.tensordict(some, worker.ref.model_config.processor)
        tu.assign_non_tensor(data, compute_loss=False)
        found.append(worker.compute_ref_log_prob(data)["log_probs"].values())
    assert torch.equal(*found)
