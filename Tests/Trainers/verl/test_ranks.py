"""Two data-parallel ranks under gloo, started as torchrun does."""

import os
import subprocess
import sys

import pytest
import torch
from scripted import free_port


def run(folder, place, way, rows, **variables):
    """What both ranks found: parameters and metrics."""
    import pathlib

    script = pathlib.Path(__file__).with_name("two_ranks.py")
    torch.save(rows, place / "rows.pt")
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", f"--master_port={free_port()}"]
    environment = {k: v for k, v in os.environ.items() if k not in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_PORT")}
    done = subprocess.run(
        [*command, script, folder, place / "rows.pt", place / "out", way], capture_output=True, text=True, timeout=400,
        env=environment | {f"PERCEPTION_{n.upper()}": v for n, v in variables.items()})  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return [torch.load(place / f"out.{rank}") for rank in (0, 1)], done.stderr


@pytest.mark.parametrize("preset, mode", [("cppo-verl", "direct"), ("cppo-verl", "grad_cache"), ("papo-g", "direct")])
def test_two_ranks_end_where_one_process_ends(folder, rows_and_plain, url, tmp_path, preset, mode):
    """Half of the rows each, two micro-batches each: the parameters are those of plain PyTorch over all eight rows."""
    import training

    rows, plain = rows_and_plain
    found, _ = run(folder, tmp_path, "steps", rows, url=url, preset=preset, mode=mode)
    for one in found:
        assert training.apart(one["parameters"], plain[preset]) < 1e-5
    # verl's way to a mini-batch's number: mean over ranks, sum over micro-batches.
    gated = [sum(one["metrics"][0]["perception/gated"]) for one in found]
    tokens = sum(sum(one["metrics"][0]["perception/tokens"]) for one in found) / 2
    with_pictures = sum(len(r["responses"]) - (i == 1) * 2 for i, r in enumerate(rows) if r["multi_modal_inputs"])
    assert tokens == with_pictures
    assert preset == "papo-g" or 0 < sum(gated) / 2 < tokens


@pytest.mark.parametrize("mode", ["direct", "grad_cache"])
def test_one_rank_without_a_server_makes_both_skip(folder, rows_and_plain, url, tmp_path, mode):
    """With on_error=skip the steps are those of the policy loss alone, on both ranks, and nobody hangs."""
    import training

    rows, plain = rows_and_plain
    found, said = run(folder, tmp_path, "away", rows, url=url, on_error="skip", mode=mode)
    for one in found:
        assert training.apart(one["parameters"], plain["none"]) < 1e-5
        assert one["metrics"][1]["perception/skipped"] == [3.0, 4.0]
        assert "perception/loss" not in one["metrics"][1]
    assert "step skipped, its perception loss is 0" in said
