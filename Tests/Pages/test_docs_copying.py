"""What is copied works: as a shell's command and as a Python program, with a token, and where the clipboard is closed."""

import json
import os
import shutil
import subprocess
import sys

import pytest

import browser
import contract
from browser import PLAIN_HOST, clipboard
from conftest import REPOSITORY, TOKEN
from docs_page import DocsPage

PICTURES = REPOSITORY / "Sources/CPages/assets/pictures"


@pytest.fixture
def folder(tmp_path):
    """A working directory with the pictures that the page offers."""
    for name in ("page.png", "photograph.jpg"):
        shutil.copy(PICTURES / name, tmp_path)
    return tmp_path


def ran(command, folder, **environment):
    """What a command prints; it must succeed."""
    done = subprocess.run(
        command, cwd=folder, capture_output=True, timeout=60,
        env={k: v for k, v in os.environ.items() if not k.startswith("PERCEPTION_")}
        | {"PYTHONPATH": str(REPOSITORY / "Sources/perception-client")} | environment,
    )
    assert done.returncode == 0, f"{command}\n{done.stderr.decode()}"
    return done.stdout


def shell(text, folder, **environment):
    return ran(["bash", "-c", text.replace("curl -sS ", "curl -sS --fail-with-body ")], folder, **environment)


def program(text, folder, **environment):
    return ran([sys.executable, "-c", text], folder, **environment).decode()


def requests_of(docs, language):
    """Every operation's copied request: (id, example, text)."""
    opened = docs()
    for id, _, _, operation, _ in contract.operations():
        if "live" in operation["tags"]:
            continue
        trial = opened.trial(id)
        examples = list(contract.json_examples(operation))
        for name in examples or [None]:
            if len(examples) > 1:
                trial.choose("Example", name)
            yield id, name, trial.copied(language)


def test_every_request_works_in_a_shell(docs, folder):
    for id, name, text in requests_of(docs, "curl"):
        printed = shell(text, folder)
        if id in ("score", "mask", "entropy", "advantages", "perturb", "presets", "recipes", "info"):
            assert json.loads(printed), (id, name)
    assert (folder / "view.png").read_bytes().startswith(b"\x89PNG"), "a sheet is saved"


def test_every_request_works_in_python(docs, folder):
    with_client = set()
    for id, name, text in requests_of(docs, "Python"):
        assert "import requests" not in text
        assert program(text, folder) or id.startswith("preview"), (id, name)
        if "perception_client" in text:
            with_client.add(id)
    assert with_client >= {"score", "mask", "entropy", "advantages", "perturb", "presets", "recipes", "info", "preview"}
    assert (folder / "sheet.png").read_bytes().startswith(b"\x89PNG")


def test_the_client_is_asked_the_same_as_the_shell(docs, folder):
    trial = docs().trial("score")
    trial.choose("Example", "detected")
    trial.add("tau", "0.5")
    by_shell = json.loads(shell(trial.copied("curl"), folder))
    python = trial.copied("Python")
    assert "P.score(" in python and "cu_seqlens" in python
    assert float(program(python, folder).split()[0]) == pytest.approx(by_shell["loss"], rel=1e-6)
    assert by_shell["options"]["tau"] == 0.5


def test_what_the_client_cannot_say_is_said_without_it(docs, folder):
    trial = docs().trial("score")
    trial.choose("Example", "engines")
    python = trial.copied("Python")
    assert "perception_client" not in python and "urllib.request" in python
    assert '"loss"' in program(python, folder)
    trial.write('{"options": {"preset": "cppo-verl"}, "rollouts": [], "x": "it\'s a \\\\ \u202e trap"}')
    assert "400" in ran(["bash", "-c", trial.copied("curl") + " -w '%{http_code}'"], folder).decode()


@pytest.mark.parametrize("language", ["curl", "Python"])
@pytest.mark.parametrize("type", ["image/png", "image/jpeg", "multipart/form-data"])
def test_pictures_are_read_from_files(docs, folder, language, type):
    trial = docs().trial("perturb")
    trial.choose("Body as", type)
    trial.place.locator(".try-preview img").first.wait_for()
    (shell if language == "curl" else program)(trial.copied(language), folder)
    if type != "multipart/form-data":
        assert (folder / "view.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("language", ["curl", "Python"])
def test_tensors_are_read_from_a_file_that_can_be_saved(docs, folder, language):
    trial = docs().trial("score")
    trial.choose("Body as", "application/x-safetensors")
    with trial.page.expect_download() as saved:
        trial.place.get_by_role("button", name="Save batch.safetensors").click()
    saved.value.save_as(folder / "batch.safetensors")
    text = trial.copied(language)
    (shell if language == "curl" else program)(text, folder)
    assert b"token_loss" in (folder / "reply.safetensors").read_bytes()


@pytest.mark.parametrize("language", ["curl", "Python"])
@pytest.mark.parametrize("id", ["score", "metrics"])
def test_a_token_is_named_and_never_copied(visit, guarded, folder, language, id):
    visit.allow("status of 401")
    page = visit("/docs", base=guarded)
    page.get_by_label("Bearer token").fill(TOKEN)
    page.keyboard.press("Enter")
    text = DocsPage(page).trial(id).copied(language)
    assert TOKEN not in text and "PERCEPTION_TOKEN" in text
    assert (shell if language == "curl" else program)(text, folder, PERCEPTION_TOKEN=TOKEN)


def test_without_a_clipboard_the_old_way_copies(docs, server):
    plain = server.replace("127.0.0.1", PLAIN_HOST)
    opened = docs(base=plain)
    assert opened.page.evaluate("navigator.clipboard === undefined"), "plain HTTP elsewhere has none"
    trial = opened.trial("mask")
    trial.place.get_by_role("button", name="Copy as curl").click()
    trial.place.get_by_role("button", name="Copied").wait_for()
    assert f"{PLAIN_HOST}" in clipboard(opened.page, server + "/docs")


def test_where_nothing_can_be_copied_the_text_is_selected(docs, server):
    opened = docs(base=server.replace("127.0.0.1", PLAIN_HOST))
    opened.page.evaluate("document.execCommand = () => false")
    trial = opened.trial("mask")
    trial.place.get_by_text("curl", exact=True).click()
    trial.place.get_by_role("button", name="Copy as curl").click()
    trial.place.get_by_role("button", name="Selected: press Ctrl+C").wait_for()
    assert opened.page.evaluate("getSelection().toString()").startswith("curl -sS")


def test_who_copies_twice_is_told_as_long_as_after_the_first_time(docs):
    opened = docs()
    opened.page.clock.install()
    button = opened.trial("mask").place.locator(".try-as", has_text="curl").locator("button.copy")
    browser.grant_clipboard(opened.page)
    for waited in (1500, 500):
        button.click()
        opened.page.wait_for_function("button => button.innerText.startsWith('Copied')", arg=button.element_handle(), polling="raf")
        opened.page.clock.run_for(waited)
    assert button.inner_text().startswith("Copied"), "the first telling's end is not the second's"
    opened.page.clock.run_for(1400)
    assert button.inner_text() == "Copy as curl"
