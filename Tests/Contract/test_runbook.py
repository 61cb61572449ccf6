"""docker/README.md says what a server of today has: its options and their defaults, its metrics, its types of problems."""

import os
import pathlib
import re
import subprocess

import pytest
import yaml

TOP = pathlib.Path(__file__).resolve().parents[2]
RUNBOOK = (TOP / "docker/README.md").read_text()


def rows(heading):
    """The cells of the table under a heading, without its first two lines."""
    section = re.search(rf"^## {heading}$(.*?)(?=^#|\Z)", RUNBOOK, re.M | re.S)[1]
    table = re.search(r"(?:^\|.*\n)+", section, re.M)[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]


def named(cells):
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


@pytest.fixture(scope="module")
def usage():
    binary = os.environ.get("PERCEPTION_SERVER_BINARY")
    if not binary:
        pytest.skip("PERCEPTION_SERVER_BINARY names no server to ask")
    return subprocess.run([binary, "serve", "--help"], capture_output=True, text=True, check=True).stdout


def test_every_option_is_explained_with_its_default(usage):
    entries = re.findall(r"^  --([a-z-]+)(.*?)(?=^  -|\Z)", usage, re.M | re.S)
    defaults = {}
    for name, text in entries:
        found = re.search(r"\(default: (.*)\)", " ".join(text.split()))
        defaults[f"--{name}"] = found[1] if found else None
    del defaults["--version"]
    table = {named([cells[0]])[0]: cells for cells in rows("Options")}
    assert set(table) == set(defaults)
    for name, (_, default, why) in table.items():
        assert default == defaults[name] or (defaults[name] is None and default in ("none", "off")), name
        assert len(why) > 20, name


def test_every_metric_is_explained_with_its_labels(server, http):
    # What has labels is there once it was counted.
    http.post(server + "/v1/score", json={"options": {"gate": "none"}, "rollouts": []}).raise_for_status()
    assert http.get(server + "/v1/score").status_code == 405
    text = http.get(server + "/metrics").text
    families = re.findall(r"^# TYPE (\S+)", text, re.M)
    table = rows("Metrics")
    assert sorted(named(cells[0] for cells in table)) == sorted(families)
    assert len(families) > 30
    labels = {}
    for name, found in re.findall(r"^([a-z_]+?)(?:_bucket|_sum|_count)?\{(.*)\} \S+$", text, re.M):
        labels.setdefault(name, set()).update(set(re.findall(r'(\w+)="', found)) - {"le"})
    told = {name: set(re.findall(r"\w+", cells[1])) for cells in table for name in named([cells[0]])}
    assert "perception_contrast_nats_total" in labels
    for name, found in labels.items():
        assert found - {"sign"} == told[name] - {"sign"} and found <= told[name], name


def test_every_type_of_problem_has_its_advice():
    contract = yaml.safe_load((TOP / "openapi.yaml").read_text())
    types = contract["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
    table = rows("Problems")
    assert sorted(named(cells[0] for cells in table)) == sorted(types)
    assert all(len(cells[1]) > 20 for cells in table)


def test_every_alert_has_its_advice():
    rules = yaml.safe_load((TOP / "docker/observability/alerts.yaml").read_text())
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    assert alerts == set(re.findall(r"`(Perception[A-Z]\w+)`", RUNBOOK))
