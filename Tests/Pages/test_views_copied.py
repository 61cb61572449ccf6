"""The request that the tab of views hands out as curl, Python and JSON does what the page does."""

import json
import os
import subprocess
import sys

import numpy as np
import requests
from PIL import Image

import browser
import files
from views_page import FIXTURES, HOSTILE, opened, original, pixels, settled


def test_curl_makes_the_same_views(visit, tmp_path):
    page = opened(visit)
    files.drop(page, "views-panel", {HOSTILE: (FIXTURES / "page.png").read_bytes()})
    original(page, "384 × 191")
    settled(page)
    (tmp_path / HOSTILE.replace("/", "_")).write_bytes((FIXTURES / "page.png").read_bytes())
    command = page.locator("pre.code").inner_text()
    assert "/" not in HOSTILE
    subprocess.run(["bash", "-ec", command], cwd=tmp_path, check=True, timeout=60)
    assert not (tmp_path / "pwned").exists()
    for view in ("preserving", "removing"):
        assert (np.asarray(Image.open(tmp_path / f"{view}.png").convert("RGB")) == pixels(page, view)).all(), view


def test_python_makes_the_same_views(visit, tmp_path):
    page = opened(visit)
    page.locator("#views-panel").get_by_text("Python", exact=True).click()
    (tmp_path / "photograph.jpg").write_bytes((FIXTURES / "photograph.jpg").read_bytes())
    program = page.locator("pre.code").inner_text()
    environment = os.environ | {"PYTHONPATH": str(browser.REPOSITORY / "Sources/perception-client")}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=60, env=environment)
    for view in ("preserving", "removing"):
        assert (np.asarray(Image.open(tmp_path / f"{view}.png").convert("RGB")) == pixels(page, view)).all(), view


def test_json_is_the_request_and_can_be_copied(visit, server):
    page = opened(visit)
    browser.grant_clipboard(page)
    page.locator("#views-panel").get_by_text("JSON", exact=True).click()
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("Copied").first.wait_for()
    copied = json.loads(browser.clipboard(page, server))
    assert copied["views"][0] == {"name": "preserving", "recipe": "cppo-preserving", "seed": 7}
    reply = requests.post(
        f"{server}/v1/perturb", timeout=30,
        files={"request": (None, json.dumps(copied), "application/json"), "0": (FIXTURES / "photograph.jpg").read_bytes()},
    )
    assert reply.status_code == 200, reply.text
