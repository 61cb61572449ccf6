"""Every example of the package's README runs; those with torch and JAX are in autograd/."""

import json
import re
import shlex
import subprocess
import sys

from PIL import Image

import readme
from engine_stub import engine
from features import REPOSITORY, environment, needs
from perception_client import Perception


def namespace(batch):
    return {"log_probs": batch["log_probs"], "entropy": batch["entropy"], "mask": batch["response_mask"],
            "advantages": batch["advantages"]}  # fmt: skip


def test_examples_with_numpy(url, batch, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = namespace(batch)
    assert readme.run({"python"}, url, names, tmp_path) >= 6
    assert names["score"].gated > 0 and len(names["views"].weak) == 2
    assert 'did you mean "tau"' in capsys.readouterr().out
    assert Image.open(tmp_path / "sheet.png").size[0] > 100


def test_examples_with_an_engine(url, batch, tmp_path, monkeypatch, edition):
    needs(edition, "entropy_from")
    monkeypatch.chdir(tmp_path)
    with engine() as (address, _):
        names = {"P": Perception(url), "Image": Image}
        assert readme.run({"python engine"}, url, names, tmp_path, **{"http://127.0.0.1:8000": address}) == 1
    assert names["seen"].score.gated > 0 and "harbour" in (tmp_path / "heat.html").read_text()


def test_examples_of_the_command_line(url, client, batch, tmp_path):
    client.score(**batch, dump=tmp_path / "request.safetensors")
    (tmp_path / "batch.safetensors").write_bytes((tmp_path / "request.safetensors").read_bytes())
    (tmp_path / "tokens.json").write_text(json.dumps([["x"] * 48] * 4))
    readme.run(set(), url, {}, tmp_path)
    (code,) = (code for kind, code in readme.examples() if kind == "sh")
    for line in code.splitlines():
        words = [sys.executable, "-m", "perception_client", *shlex.split(line)[1:]]
        found = subprocess.run(words, cwd=tmp_path, env=environment(PERCEPTION_URL=url), capture_output=True, text=True)
        assert found.returncode == 0, f"{line}: {found.stderr}"
    assert (tmp_path / "heat.html").stat().st_size > 1000 and list((tmp_path / "out").iterdir())


def test_every_example_is_of_a_kind_that_is_run():
    kinds = {kind for kind, _ in readme.examples()}
    # Those of trainers are run where the trainer is.
    trainers = {kind for kind in kinds if (REPOSITORY / "Tests/Trainers" / kind.split()[-1]).is_dir()}
    assert kinds - trainers == {"python", "python torch", "python torch-second", "python jax", "python engine", "sh"}


def test_every_trainer_takes_ten_lines_or_fewer_and_says_what_ran():
    """Lines that a user writes or adds to a command, counted without blanks, comments and the command's own first line."""
    text = readme.README.read_text(encoding="utf-8")
    (table,) = re.findall(r"^### Tested with\n\n(.*?)\n\n", text, re.M | re.S)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    assert all(len(row) == 4 and all(row) for row in rows), "versions, what ran and what did not, for every trainer"
    folders = {f.parent.name for f in (REPOSITORY / "Tests/Trainers").glob("*/requirements.txt")} - {"recipes"}
    by_folder = {re.sub(r"\W", "_", name.lower()).removeprefix("ms_"): name for name, *_ in rows}
    assert set(by_folder) - {"loops_of_your_own"} == folders
    blocks = {kind.split()[-1]: code for kind, code in readme.examples() if kind.split()[-1] in folders}
    assert set(blocks) == folders
    for folder, code in blocks.items():
        lines = [line for line in code.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        assert 1 <= len(lines) <= 10, f"{folder}: {len(lines)} lines"
    assert [name for name, *_ in rows] == sorted((name for name, *_ in rows), key=lambda n: n.lower().replace("-", ""))


def test_the_versions_in_the_text_are_this_one():
    import perception_client

    text = readme.README.read_text(encoding="utf-8")
    assert f"perception_client-{perception_client.__version__}-py3" in text
    project = (readme.README.parent / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{perception_client.__version__}"' in project
    settings = (REPOSITORY / "Sources/Service").rglob("*.swift")
    assert any(f'version = "{perception_client.__version__}"' in f.read_text(encoding="utf-8") for f in settings)
