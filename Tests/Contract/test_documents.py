"""The READMEs: links lead somewhere, named files exist, every module is on the map. It needs no server and no network."""

import json
import re
import tomllib

import pytest
import yaml

from documents import REPOSITORY, SPAN, all_documents, anchors, broken_links, prose

SOURCES = REPOSITORY / "Sources"
MAP = SOURCES / "README.md"
TESTS = REPOSITORY / "Tests/README.md"
FILE = re.compile(r"[\w.+-]+(?:/[\w.+-]+)*\.(?:swift|c|h|py|js|html|css|toml|yaml|md|svg|png|webp)")
# Files of the reader, or of other projects.
OTHERS = {"agent.py", "reward.py", "train.py", "verl/workers/actor/dp_actor.py"}
C_MODULES = sorted(path for path in SOURCES.glob("C[A-Z]*") if (path / "include").is_dir())
# The function of the C library that one module replaces.
KEPT = {"CEventWait": {"epoll_wait", "epoll_event"}}


def named(document):
    """Names of files in inline code. A name with a leading dot is the result of some command."""
    spans = {span for span in SPAN.findall(prose(document)) if FILE.fullmatch(span) and not span.startswith(".")}
    return sorted(spans - OTHERS)


def exists(name, document):
    """Beside the text, at the top, among the sources, or, without a folder, anywhere below the text."""
    home = document.parent.parent if document.parent.name == "README" else document.parent
    if any((root / name).exists() for root in (home, REPOSITORY, SOURCES)):
        return True
    return "/" not in name and any(home.rglob(name))


@pytest.mark.parametrize("document", all_documents(), ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_and_names_of_files_lead_somewhere(document):
    assert list(broken_links(document)) == []
    assert [name for name in named(document) if not exists(name, document)] == []


def test_broken_links_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr("documents.REPOSITORY", tmp_path)
    (tmp_path / "other.md").write_text("# A heading, `coded` & more\n\n# Twice\n\n# Twice\n")
    document = tmp_path / "README.md"
    document.write_text(
        "[a](other.md) [b](other.md#a-heading-coded--more) [c](other.md#twice-1) [d](#here) [e](https://example.org/x)\n"
        "## Here\n`[code](nowhere.md)`\n```\n[code](nowhere.md)\n```\n"
        "![f](gone.png) [g](other.md#gone) [h](#gone) [i](../outside.md)\n")  # fmt: skip
    assert list(broken_links(document)) == [
        "gone.png: no such file", "other.md#gone: no such heading", "#gone: no such heading",
        "../outside.md: outside the repository"]  # fmt: skip
    assert anchors(tmp_path / "other.md") == {"a-heading-coded--more", "twice", "twice-1"}


def test_the_trace_and_the_lists_name_files():
    """As many as a reader needs, all of them below Sources or Tests."""
    text = prose(MAP)
    trace = text[text.index("## One streamed request") : text.index("## Threads")]
    files = [span for span in SPAN.findall(trace) if FILE.fullmatch(span)]
    assert 12 <= len(set(files)) <= 28
    assert all((SOURCES / file).is_file() for file in files)


def test_every_module_is_on_the_map():
    modules = {folder.name for folder in SOURCES.iterdir() if folder.is_dir() and not folder.name.startswith(".")}
    text = prose(MAP)
    table = text[text.index("## Map") : text.index("## One streamed request")]
    on_the_map = {span for line in table.splitlines() if line.startswith("| `") for span in SPAN.findall(line.split("|")[1])}
    assert on_the_map == modules


def exported(header):
    """Functions, types and constants that a header of C declares, without members, arguments and include guards."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*|^[ \t]*#[^\n]*", "", header.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    constants = {name for body in re.findall(r"\benum\b[^{;]*\{([^}]*)\}", text) for name in re.findall(r"(\w+)\s*(?:=[^,]*)?(?:,|$)", body.strip())}
    outside = re.sub(r"\{[^{}]*\}", "{}", re.sub(r"\{[^{}]*\}", "", text))
    types = set(re.findall(r"\b(?:struct|enum) (\w+) *\{?", outside)) | set(re.findall(r"\}? *(\w+);\s*$", outside, re.MULTILINE))
    functions = set(re.findall(r"^(?!typedef)[\w *]+?\b(\w+)\(", outside, re.MULTILINE))
    return constants | types | functions


@pytest.mark.parametrize("module", C_MODULES, ids=lambda module: module.name)
def test_names_in_c_begin_with_their_module(module):
    prefix = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", module.name[1:]).lower() + "_"
    for header in (module / "include").glob("*.h"):
        others = {name for name in exported(header) if not f"{name.lower()}_".startswith(prefix)}
        assert others <= KEPT.get(module.name, set()), header


def test_every_suite_is_in_the_list():
    folders = {folder.name for folder in (REPOSITORY / "Tests").iterdir() if folder.is_dir() and folder.name != "__pycache__"}
    listed = {span for line in prose(TESTS).splitlines() if line.startswith("| ") for span in SPAN.findall(line.split("|")[1])}
    assert folders <= listed, f"not in Tests/README.md: {sorted(folders - listed)}"
    assert {name for name in listed if name.endswith("Tests")} <= folders


def test_the_front_page_is_one():
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    figures = text[text.index("## Figures") :]
    rows = [line.strip("|").split("|") for line in figures.splitlines() if line.startswith("|")][2:]
    figures = [row for row in rows if len(row) == 4]
    assert len(figures) >= 5
    assert all(re.fullmatch(r" ?[\d,.e-]* ?", cell) for row in figures for cell in row[2:]), "one number a cell"


def test_the_version_is_the_same_everywhere():
    contract = yaml.safe_load((REPOSITORY / "openapi.yaml").read_text(encoding="utf-8"))
    version = contract["info"]["version"]
    client = SOURCES / "perception-client"
    assert tomllib.loads((client / "pyproject.toml").read_text())["project"]["version"] == version
    assert f'VERSION = "{version}"' in (client / "perception_client/versions.py").read_text()
    assert f'version = "{version}"' in (SOURCES / "Service/ServiceSettings.swift").read_text()
    assert json.dumps(contract["components"]["examples"]["Info"]["value"]["version"]) == json.dumps(version)
    assert f"### {version}\n" in MAP.read_text(encoding="utf-8"), "Changes has no section for this version"
    for document in all_documents():
        wheels = re.findall(r"perception_(?:client|server)-(\d[\d.]*)-py3", document.read_text(encoding="utf-8"))
        assert set(wheels) <= {version}, document
    for place in ("docker/compose.yaml", "docker/kubernetes/base/kustomization.yaml",
                  "docker/kubernetes/sidecar/kustomization.yaml"):  # fmt: skip
        assert version in (REPOSITORY / place).read_text(), place
