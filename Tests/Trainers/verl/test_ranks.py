"""Two data-parallel ranks under gloo, started as torchrun does: half of the rows each, in two micro-batches."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
import torch
from scripted import free_port

LOSSES = [("cppo-verl", "direct"), ("cppo-verl", "grad_cache"), ("papo-g", "direct")]
SHAPED = [("vppo", "direct")]
AWAY = [("cppo-verl", "direct"), ("cppo-verl", "grad_cache")]


@pytest.fixture(scope="module")
def both(folder, rows_and_plain, url, tmp_path_factory):
    """What each rank found, by loss, mode, and whether the server was away for rank 1; and what they printed."""
    place = tmp_path_factory.mktemp("ranks")
    rows, _ = rows_and_plain
    torch.save(rows, place / "rows.pt")
    names = [(*which, False) for which in LOSSES + SHAPED] + [(*which, True) for which in AWAY]
    ways = [
        {"PERCEPTION_URL": url, "PERCEPTION_PRESET": preset, "PERCEPTION_MODE": mode,
         "PERCEPTION_ON_ERROR": "skip" if away else "raise", "away": away}
        for preset, mode, away in names
    ]  # fmt: skip
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", f"--master_port={free_port()}"]
    script = pathlib.Path(__file__).with_name("two_ranks.py")
    kept = {k: v for k, v in os.environ.items() if k not in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_PORT")}
    done = subprocess.run(
        [*command, script, folder, place / "rows.pt", place / "out", json.dumps(ways)], capture_output=True, text=True,
        timeout=500, env=kept)  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    found = [torch.load(place / f"out.{rank}") for rank in (0, 1)]
    return dict(zip(names, zip(*found, strict=True), strict=True)), done.stderr


@pytest.mark.parametrize("preset, mode", LOSSES)
def test_two_ranks_end_where_one_process_ends(both, rows_and_plain, preset, mode):
    """The parameters are those of plain PyTorch over all eight rows."""
    import training

    rows, plain = rows_and_plain
    found = both[0][preset, mode, False]
    for rank in found:
        assert training.apart(rank["parameters"], plain[preset]) < 1e-5
    # verl's way to a mini-batch's number: mean over ranks, sum over micro-batches.
    tokens, gated = (
        sum(sum(rank["metrics"][0][f"perception/{name}"]) for rank in found) / 2 for name in ("tokens", "gated")
    )
    assert tokens == sum(int(r["response_mask"].sum()) for r in rows if r["multi_modal_inputs"])
    assert gated == tokens if preset == "papo-g" else 0 < gated < tokens


def test_each_rank_scales_the_advantages_of_its_own_rows(both, rows_and_plain):
    import training

    _, plain = rows_and_plain
    for rank in both[0]["vppo", "direct", False]:
        assert training.apart(rank["parameters"], plain["vppo/8/2"]) < 1e-5
    assert training.apart(plain["vppo/8/2"], plain["vppo"]) > 1e-4


@pytest.mark.parametrize("preset, mode", AWAY)
def test_one_rank_without_a_server_makes_both_skip(both, rows_and_plain, preset, mode):
    """With on_error=skip the steps are those of the policy loss alone, on both ranks, and nobody hangs."""
    import training

    _, plain = rows_and_plain
    for rank in both[0][preset, mode, True]:
        assert training.apart(rank["parameters"], plain["none"]) < 1e-5
        assert rank["metrics"][1]["perception/skipped"] == [3.0, 4.0]
        assert "perception/loss" not in rank["metrics"][1]
    assert "step skipped, its perception loss is 0" in both[1]
