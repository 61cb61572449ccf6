"""The playground's views: pictures in, recipes and steps, what they make, and the request to take along."""

import io
import struct
import zlib

import numpy as np
import pytest
import requests
from PIL import Image

import accessibility
import browser
import conftest
import files
from views_page import FIXTURES, HOSTILE, opened, original, pixels, settled


def drawn(page, view):
    return page.locator(f".view-figure.{view} .drawn").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_the_built_in_picture_is_shown_with_two_views(visit, width, scheme):
    page = opened(visit, width=width, scheme=scheme)
    assert page.locator(".view-figure").count() == 3
    assert "as the server decodes it" in page.locator(".view-figure.original").inner_text()
    assert browser.overflowing(page) == []
    assert accessibility.violations(page) == []
    browser.screenshot(page, f"views-{width}-{scheme}", full_page=True)


def test_seeds_draw_anew_and_come_back(visit):
    page = opened(visit)
    before, shown = drawn(page, "removing"), pixels(page, "removing")
    page.get_by_role("button", name="Next seed").click()
    settled(page)
    assert page.locator("#seed").input_value() == "8" and drawn(page, "removing") != before
    page.get_by_role("button", name="Previous seed").click()
    settled(page)
    assert drawn(page, "removing") == before
    assert (pixels(page, "removing") == shown).all()


def test_what_is_shown_is_what_the_server_makes(visit, server):
    page = opened(visit)
    made = requests.post(
        f"{server}/v1/perturb?recipe=cppo-removing&seed=7", (FIXTURES / "photograph.jpg").read_bytes(),
        headers={"Content-Type": "image/jpeg"}, timeout=30,
    )
    assert (pixels(page, "removing") == np.asarray(Image.open(io.BytesIO(made.content)))).all()


def test_steps_are_composed_from_the_catalogue(visit):
    page = opened(visit)
    editor = page.get_by_role("region", name="View preserving")
    editor.get_by_text("Steps", exact=True).click()
    add = editor.get_by_label("Add a step")
    add.select_option("rotation")
    add.select_option("posterize")
    editor.get_by_label("degrees", exact=True).fill("33")
    editor.get_by_label("bits, slider").fill("3")
    settled(page)
    assert "degrees 33" in drawn(page, "preserving") and "bits 3" in drawn(page, "preserving")
    editor.get_by_role("button", name="Move posterize up").click()
    settled(page)
    assert drawn(page, "preserving").index("posterize") < drawn(page, "preserving").index("rotation")
    editor.get_by_role("button", name="Remove rotation").click()
    settled(page)
    assert "rotation" not in drawn(page, "preserving")


def test_every_step_has_controls_whose_first_values_the_server_takes(visit, server):
    page = opened(visit)
    editor = page.get_by_role("region", name="View preserving")
    editor.get_by_text("Steps", exact=True).click()
    catalogue = requests.get(f"{server}/v1/recipes", timeout=30).json()["steps"]
    for step in catalogue:
        name = step["step"]
        editor.get_by_label("Add a step").select_option(name)
        settled(page)
        assert page.locator("#views-panel .problem").count() == 0, (name, page.locator("#views-panel .problem").inner_text())
        label = name.replace("_", " ")
        assert label in drawn(page, "preserving"), name
        for parameter in step["parameters"]:
            assert parameter["name"].replace("_", " ") in editor.inner_text(), (name, parameter["name"])
        editor.get_by_role("button", name=f"Remove {label}", exact=True).click()
        settled(page)


def test_drawn_steps_are_taken_over_to_be_changed(visit):
    page = opened(visit)
    before = pixels(page, "removing")
    page.get_by_role("button", name="Edit the steps of removing").click()
    settled(page)
    assert (pixels(page, "removing") == before).all(), "the same steps make the same pixels"
    editor = page.get_by_role("region", name="View removing")
    editor.get_by_label("left", exact=True).fill("0")
    settled(page)
    assert "left 0" in drawn(page, "removing")


def test_a_wrong_value_is_answered_with_the_servers_words(visit):
    visit.allow("status of 422")
    page = opened(visit)
    editor = page.get_by_role("region", name="View preserving")
    editor.get_by_text("Steps", exact=True).click()
    editor.get_by_label("Add a step").select_option("posterize")
    editor.get_by_label("bits", exact=True).fill("99")
    page.wait_for_selector("#views-panel .problem")
    assert "invalid-step" in page.locator("#views-panel .problem").inner_text()
    editor.get_by_label("bits", exact=True).fill("4")
    settled(page)
    assert page.locator("#views-panel .problem").count() == 0


def test_difference_and_wipe(visit):
    page = opened(visit)
    page.get_by_text("Difference", exact=True).click()
    assert "mean difference" in page.locator(".view-figure.removing").inner_text()
    before = pixels(page, "removing").astype(int)
    page.get_by_label("amplified").fill("8")
    assert pixels(page, "removing").astype(int).sum() > before.sum()
    page.get_by_text("Wipe", exact=True).click()
    slider = page.get_by_role("slider", name="How much of the picture is the original")
    slider.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    assert page.locator("canvas.top").evaluate("canvas => canvas.style.clipPath") == "inset(0px 0px 0px 60%)"
    page.locator(".comparison select").select_option("removing")
    assert "zoom crop" in page.locator(".comparison").inner_text()
    assert accessibility.violations(page) == []


@pytest.mark.parametrize("way", [files.drop, files.paste, files.choose])
def test_a_picture_comes_in_by_every_way(visit, way):
    page = opened(visit)
    way(page, "views-panel", {HOSTILE: (FIXTURES / "page.png").read_bytes()})
    original(page, "384 × 191")
    label = page.locator("#views-panel .source-label").inner_text()
    assert "<img src=x" in label and "‹RLO›" in label and "\u202e" not in label
    assert page.locator("#views-panel img").count() == 0


def test_recipes_with_a_second_picture(visit):
    page = opened(visit)
    page.get_by_role("region", name="View removing").get_by_label("recipe", exact=True).select_option("vision-matters-concat")
    page.locator(".view-figure.removing .drawn").filter(has_text="concat").wait_for()
    assert "600 × 400" not in page.locator(".view-figure.removing").inner_text()
    assert "concat" in drawn(page, "removing") and "Second picture" in page.locator("#views-panel").inner_text()
    page.get_by_text("Difference", exact=True).click()
    assert "The sizes differ" in page.locator(".view-figure.removing").inner_text()
    page.locator("#views-panel").get_by_text("Python", exact=True).click()
    assert 'second_only=["second"]' in page.locator("pre.code").inner_text()


def test_views_are_added_and_removed(visit):
    page = opened(visit)
    page.get_by_role("button", name="Add a view").click()
    page.wait_for_selector(".view-figure.third")
    page.get_by_role("button", name="Remove the view preserving").click()
    page.wait_for_selector(".view-figure.preserving", state="detached")
    assert page.locator(".view-figure").count() == 3


def test_keyboard_alone_changes_seed_and_comparison(visit):
    page = opened(visit)
    before = drawn(page, "removing")
    page.locator("#seed").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    settled(page)
    assert drawn(page, "removing") != before
    page.get_by_role("tab", name="Views").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("#tokens-panel .token")
    assert page.locator("#views-panel").is_hidden() and page.url.endswith("#tokens")


def test_a_cut_off_picture_is_refused_in_words(visit):
    visit.allow("status of 422")
    page = opened(visit)
    files.drop(page, "views-panel", {"cut.png": (FIXTURES / "page.png").read_bytes()[:900]})
    page.wait_for_selector("#views-panel .problem")
    assert "malformed-image" in page.locator("#views-panel .problem").inner_text()


def blank_png(width, height):
    """A PNG of one grey level; its rows compress to almost nothing."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + b"\x80" * width) * height, 9)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_pictures_of_fifty_megapixels(visit):
    visit.allow("status of 413")
    page = opened(visit)
    page.get_by_role("button", name="Remove the view preserving").click()
    page.get_by_role("region", name="View removing").get_by_label("recipe", exact=True).select_option("papo-removing")
    settled(page)
    files.drop(page, "views-panel", {"large.png": blank_png(9000, 5500)})
    original(page, "9000 × 5500", timeout=120_000)
    assert page.locator(".view-figure.original canvas").evaluate("canvas => canvas.width") == 2400
    files.drop(page, "views-panel", {"larger.png": blank_png(9000, 6000)})
    page.wait_for_selector("#views-panel .problem")
    assert "image-too-large" in page.locator("#views-panel .problem").inner_text()


def test_a_server_with_a_token_shows_nothing_before_it(visit, guarded):
    visit.allow("status of 401")
    page = visit("/#views", base=guarded)
    page.get_by_label("Bearer token").wait_for()
    assert page.locator(".view-figure").count() == 0
    assert "asks for a token" in page.locator("#access").inner_text()
    page.get_by_label("Bearer token").fill("wrong")
    page.get_by_role("button", name="Use token").click()
    page.get_by_text("does not accept this token").wait_for()
    page.get_by_label("Bearer token").fill(conftest.TOKEN)
    page.get_by_role("button", name="Use token").click()
    page.wait_for_selector(".view-figure.removing canvas")
    assert conftest.TOKEN not in page.locator("body").inner_text()
    assert "$PERCEPTION_TOKEN" in page.locator("pre.code").inner_text()
    assert page.evaluate("localStorage.length") == 0 and page.evaluate("document.cookie") == ""
    other = page.context.new_page()
    other.goto(guarded + "/#views")
    other.get_by_label("Bearer token").wait_for()


def test_below_a_prefix(visit, prefixed):
    page = opened(visit, base=prefixed)
    assert "/perception/v1/perturb" in page.locator("pre.code").inner_text()
    page.get_by_role("tab", name="Tokens").click()
    page.wait_for_selector("#tokens-panel .token")
