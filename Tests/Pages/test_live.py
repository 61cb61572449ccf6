"""The live page: what is scored while it is open, by clicking, by keyboard, and with nothing to show."""

import json

import numpy as np
import pytest
import requests
import serving
from safetensors.numpy import save

import accessibility
import browser
from conftest import TOKEN

VIEWS = ("original", "preserving", "removing")
WORDS = ["The", " area", " of", " the", " <b>triangle</b>", " is", " \u202e12", "\n", " cm", "²"]


@pytest.fixture
def keeping(binary, visit):
    """The address of a server that keeps three batches of each run; pages of `visit` are its pages."""
    with serving.running(binary, "--keep-recent", "3") as address:
        visit.base = address
        yield address
        visit.close()


def score(address, run="geometry-7b", rows=2, places=40, texts=True, seed=0):
    random = np.random.default_rng(seed)
    shape = (rows, places)
    batch = {f"{view}.log_probs": -random.random(shape) for view in VIEWS}
    batch |= {"original.entropy": random.random(shape), "removing.entropy": 2 * random.random(shape)}
    batch = {name: values.astype(np.float32) for name, values in batch.items()}
    batch["response_mask"] = np.ones(shape, np.uint8)
    batch["response_mask"][-1, places // 2:] = 0
    batch["token_ids"] = random.integers(100, 999, shape)
    metadata = {"options": json.dumps({"gate": "none"})}
    if texts:
        metadata["tokens"] = json.dumps([[WORDS[place % len(WORDS)] for place in range(places)]] * rows)
    requests.post(
        address + "/v1/score", save(batch, metadata), timeout=20,
        headers={"Content-Type": "application/x-safetensors", "Perception-Run": run}).raise_for_status()


def opened(visit, **options):
    page = visit("/live", **options)
    page.locator('.live-state[data-state="open"]').wait_for()
    return page


def shown(page, number):
    """Waits until the heat map is that of a batch."""
    page.locator("h2 .number", has_text=f"#{number}").wait_for()
    page.locator(".heat-map .token").first.wait_for()


def test_a_server_that_keeps_nothing_says_how_it_would(visit):
    page = visit("/live")
    page.get_by_text("perception-server --keep-recent 20").wait_for()
    assert accessibility.violations(page) == []
    assert page.locator(".live-state").is_hidden() and page.get_by_role("button", name="Pause").is_hidden()


def test_batches_appear_as_they_are_scored(visit, keeping):
    page = opened(visit)
    page.get_by_text("Waiting for the first batch").wait_for()
    score(keeping)
    shown(page, 1)
    assert page.locator(".heat-map .token").first.inner_text() == "The"
    score(keeping, seed=1)
    shown(page, 2)
    assert page.locator(".choices").nth(1).get_by_role("button").all_inner_texts()[0].startswith("#2")
    loss = page.locator(".signal").first
    assert loss.get_by_role("img").get_attribute("aria-label").endswith("over 2 batches")
    for number in range(3, 6):
        score(keeping, seed=number)
    shown(page, 5)
    assert page.locator(".choices").nth(1).get_by_role("button").count() == 3, "three are kept"


def test_a_batch_stays_while_the_page_is_paused(visit, keeping):
    for number in range(3):
        score(keeping, seed=number)
    page = opened(visit)
    shown(page, 3)
    page.get_by_role("button", name="#1").click()
    shown(page, 1)
    score(keeping, run="other", seed=9)
    page.get_by_role("button", name="other").wait_for()
    assert page.locator("h2 .number").inner_text() == "#1"
    page.get_by_role("button", name="Follow newest").click()
    shown(page, 3)
    page.get_by_role("button", name="other").click()
    shown(page, 4)


def test_by_keyboard_alone(visit, keeping):
    score(keeping, run="a")
    score(keeping, run="b", texts=False)
    page = opened(visit)
    shown(page, 2)
    page.get_by_role("button", name="a", exact=False).first.focus()
    page.locator(".choices").first.get_by_role("button").first.focus()
    page.keyboard.press("Enter")
    shown(page, 1)
    assert page.locator(".choices").first.get_by_role("button").first.get_attribute("aria-pressed") == "true"
    page.locator(".heat-map").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".card-token").inner_text().strip() == "area"


def test_texts_are_shown_harmlessly(visit, keeping):
    score(keeping)
    page = opened(visit)
    shown(page, 1)
    texts = page.locator(".heat-map .token").all_inner_texts()
    assert " <b>triangle</b>" in texts or "<b>triangle</b>" in texts
    assert any("‹RLO›" in text for text in texts)
    assert page.locator(".heat-map b", has_text="triangle").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_sticks_out_and_axe_objects_to_nothing(visit, keeping, width, scheme):
    for number in range(3):
        score(keeping, seed=number)
        score(keeping, run="a-run-with-a-rather-long-name/seed-17:resumed-from-step-400.x", rows=5, seed=number)
    page = opened(visit, width=width, scheme=scheme)
    page.locator(".heat-map .token").first.wait_for()
    page.wait_for_load_state("domcontentloaded")
    assert browser.overflowing(page) == []
    assert accessibility.violations(page) == []
    browser.screenshot(page, f"live-batches-{width}-{scheme}", full_page=True)


def test_with_a_token_it_is_asked_for_and_kept_in_the_tab(visit, binary, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text(TOKEN + "\n")
    visit.allow("status of 401")
    with serving.running(binary, "--keep-recent", "3", "--token-file", str(tokens)) as address:
        page = visit("/live", base=address)
        page.get_by_label("Bearer token").fill(TOKEN)
        page.keyboard.press("Enter")
        page.get_by_text("Waiting for the first batch").wait_for()
        visit.close()


def test_a_server_that_comes_back_is_found(visit, binary):
    # The same port once more: the page can't know another one.
    visit.allow("ERR_CONNECTION|ERR_INCOMPLETE|Failed to load")
    with serving.running(binary, "--keep-recent", "3") as address:
        page = visit("/live", base=address)
        page.locator('.live-state[data-state="open"]').wait_for()
    page.locator('.live-state[data-state="waiting"]').wait_for()
    with serving.started(binary, "--port", address.rsplit(":", 1)[1], "--keep-recent", "3"):
        page.locator('.live-state[data-state="open"]').wait_for()
        score(address)
        shown(page, 1)
        visit.close()
