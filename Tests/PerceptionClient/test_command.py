"""The command `perception`, run as people run it."""

import io
import json
import os
import pty
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from features import FIXTURES, environment
from perception_client.command import main
from scripted import free_port


@pytest.fixture
def perception(url, capsys):
    """Runs the command; returns (exit code, standard output, standard error)."""

    def run(*arguments, at=url):
        code = main([str(a) for a in arguments] + ["--url", at, "--deadline", "10"])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def saved(client, batch, tmp_path):
    """A request as `dump=` writes it."""
    file = tmp_path / "request.safetensors"
    client.score(**batch, tau=0.3, dump=file)
    return file


def test_a_batch_is_scored(perception, saved, client, batch, tmp_path):
    code, out, _ = perception("score", saved, "--set", "tau=0.5", "-o", tmp_path / "result.safetensors")
    expected = client.score(**batch, tau=0.5)
    assert code == 0 and f"loss {expected.loss:.6g}" in out and f"{expected.gated} gated" in out
    code, out, _ = perception("score", saved, "--json")
    said = json.loads(out)
    assert said["loss"] == client.score(**batch, tau=0.3).loss and said["file"] == str(saved)
    assert (tmp_path / "result.safetensors").stat().st_size > 1000


def test_options_are_words_numbers_null_and_lists(perception, saved):
    _, out, _ = perception(
        "score", saved, "--json", "--set", "clamp_input=null", "--set", 'stop_gradient=["removing"]', "--set", "estimator=k1"
    )
    options = json.loads(out)["options"]
    assert options["clamp_input"] is None and options["stop_gradient"] == ["removing"] and options["estimator"] == "k1"


def test_a_saved_request_is_sent_again(perception, saved, client, batch, tmp_path):
    code, out, _ = perception("replay", saved, "--json")
    assert code == 0 and json.loads(out)["loss"] == client.score(**batch, tau=0.3).loss
    client.mask(entropy=batch["entropy"], gate="none", dump=tmp_path / "mask.safetensors")
    code, out, _ = perception("replay", tmp_path / "mask.safetensors")
    assert code == 0 and "gated" in out and "loss" not in out


def test_a_plain_batch_is_no_saved_request(perception, tmp_path):
    from safetensors.numpy import save_file

    save_file({"rewards": np.array([1.0, 0.0])}, tmp_path / "plain.safetensors")
    code, _, err = perception("replay", tmp_path / "plain.safetensors")
    assert code == 1 and "no saved request" in err


def test_a_folder_is_worked_through_in_order(perception, client, batch, tmp_path):
    folder = tmp_path / "batches"
    folder.mkdir()
    for k in range(3):
        client.score(**batch, tau=0.1 + k / 10, dump=folder / f"{k}.safetensors")
    code, out, _ = perception("score", folder, "--json", "-o", tmp_path / "results")
    assert code == 0 and [json.loads(line)["options"]["tau"] for line in out.splitlines()] == pytest.approx([0.1, 0.2, 0.3])
    assert sorted(p.name for p in (tmp_path / "results").iterdir()) == [f"{k}.safetensors" for k in range(3)]


def test_views_are_written(perception, tmp_path, client):
    code, out, _ = perception("views", FIXTURES / "photograph.jpg", "--recipe", "cppo-removing", "--seed", 3, "-o", tmp_path / "out")
    made = tmp_path / "out/photograph.cppo-removing.png"
    assert code == 0 and str(made) in out and ("occlusion" in out or "zoom_crop" in out)
    expected = client.views([FIXTURES / "photograph.jpg"], seed=3).removing[0]
    assert Image.open(made).tobytes() == Image.open(io.BytesIO(expected)).tobytes()
    code, out, _ = perception("views", FIXTURES, "-o", tmp_path / "all", "--json")
    assert code == 0 and len(out.splitlines()) == 2 and len(list((tmp_path / "all").iterdir())) == 4
    assert json.loads(out.splitlines()[0])["views"][0]["recipe"] == "cppo-preserving"


def test_a_heat_map_from_an_answer(perception, saved, tmp_path):
    perception("score", saved, "-o", tmp_path / "result.safetensors")
    tokens = tmp_path / "tokens.json"
    tokens.write_text(json.dumps([["<b>"] * 48] * 4))
    page = tmp_path / "heat.html"
    code, out, _ = perception("heatmap", tmp_path / "result.safetensors", "--tokens", tokens, "-o", page, at="http://127.0.0.1:9")
    assert code == 0 and str(page) in out and page.read_text().count("&lt;b&gt;") == 4 * 48
    code, _, _ = perception("score", saved, "--html", page)
    assert code == 0 and "<!doctype html>" in page.read_text()


def test_info(perception):
    code, out, _ = perception("info")
    assert code == 0 and out.startswith("perception-server 0.") and "cppo-verl" in out
    assert json.loads(perception("info", "--json")[1])["name"] == "perception-server"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["score", "nowhere.safetensors"], "nowhere.safetensors: there is no such file or folder"),
        (["score", "."], "no file here ends in .safetensors"),
        (["heatmap", str(FIXTURES / "page.png")], "no safetensors file"),
        (["score", str(FIXTURES / "ocr-line.safetensors"), "--set", "tau"], "expected NAME=VALUE"),
    ],
)
def test_mistakes_are_one_line(perception, arguments, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = perception(*arguments)
    assert code == 1 and not out and says in err and err.startswith("perception: ") and err.count("\n") == 1


def test_the_servers_reason_is_printed(perception, saved):
    code, _, err = perception("score", saved, "--set", "tua=1")
    assert code == 1 and 'did you mean "tau"' in err


def test_nobody_there(perception, saved):
    code = main(["info", "--url", f"http://127.0.0.1:{free_port()}", "--deadline", "0.3"])
    assert code == 1


def test_wrong_arguments_exit_with_2(capsys):
    for wrong in ([], ["dance"], ["score"]):
        with pytest.raises(SystemExit) as stop:
            main(wrong)
        assert stop.value.code == 2
    assert "usage: perception" in capsys.readouterr().err


def test_a_terminal_sees_a_bar_and_a_pipe_does_not(url, tmp_path, client, batch):
    for k in range(2):
        client.score(**batch, dump=tmp_path / f"{k}.safetensors")
    command = [sys.executable, "-m", "perception_client", "score", str(tmp_path), "--url", url]
    piped = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=60)
    assert piped.returncode == 0 and piped.stderr == "" and len(piped.stdout.splitlines()) == 2
    terminal, side = pty.openpty()
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=side, env=environment())
    os.close(side)
    seen = b""
    try:
        while piece := os.read(terminal, 1 << 16):
            seen += piece
    except OSError:
        pass  # Linux says so when the last writer is gone
    assert run.wait(60) == 0 and "2/2" in seen.decode() and "█" in seen.decode()
