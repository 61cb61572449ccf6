"""The command as a user types it, in one process and in two."""

import json
import subprocess
import sys

import pytest
import readme
from plain import PlainGRPO
from training import HERE, command, train

CLOSE = 1e-5
SETTINGS = {"coefficient": 1.0}


def test_the_command_of_the_readme(url, client, folder, tmp_path):
    (text,) = (code for kind, code in readme.examples() if kind == "sh swift")
    assert len(text.splitlines()) <= 10
    variables = {"PERCEPTION_COEFFICIENT": "1", "PERCEPTION_HEATMAP_EVERY": "1", "PERCEPTION_RUN": "swift"}
    output = tmp_path / "found"
    found = command(
        folder, output, HERE / "for_tests.py", text=text.replace("http://127.0.0.1:8080", url), environment=variables,
        report_to="tensorboard")  # fmt: skip
    expected = train(folder, tmp_path / "plain", settings=SETTINGS, client=client, trainer=PlainGRPO)
    assert float((found - expected.parameters).abs().max()) < CLOSE
    log = [json.loads(line) for line in (output / "logging.jsonl").read_text().splitlines()]
    steps = [entry for entry in log if "perception/loss" in entry]
    assert len(steps) == 3
    assert {"perception/gated", "perception/server_ms", "perception/views_waited_seconds"} <= set(steps[0])
    assert "perception/loss" in scalars(output)
    maps = sorted(p.name for p in (output / "perception").iterdir())
    assert maps == ["step-000000.html", "step-000001.html", "step-000002.html"]
    assert 'class="t"' in (output / "perception" / maps[0]).read_text(), "the tokens' text is missing"


@pytest.fixture(scope="module")
def plugin():
    """What `$(python -m perception_client.trainers.swift)` stands for."""
    done = subprocess.run([sys.executable, "-m", "perception_client.trainers.swift"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def scalars(output):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (folder,) = {f.parent for f in output.rglob("events.out.tfevents*")}
    events = EventAccumulator(str(folder))
    events.Reload()
    return {tag.removeprefix("train/") for tag in events.Tags()["scalars"]}


@pytest.fixture(scope="module")
def plain_of_two_ranks(url, folder, tmp_path_factory):
    return command(
        folder, tmp_path_factory.mktemp("ranks"), HERE / "for_tests.py", HERE / "plain_plugin.py", ranks=2, max_steps=2,
        environment={"PLAIN": json.dumps(SETTINGS), "PLAIN_URL": url})  # fmt: skip


@pytest.mark.parametrize("mode", ["direct", "grad_cache"])
def test_two_ranks(url, folder, tmp_path, plugin, plain_of_two_ranks, mode):
    variables = {"PERCEPTION_URL": url, "PERCEPTION_COEFFICIENT": "1", "PERCEPTION_MODE": mode}
    found = command(folder, tmp_path, HERE / "for_tests.py", plugin, ranks=2, max_steps=2, environment=variables)
    assert float((found - plain_of_two_ranks).abs().max()) < CLOSE
