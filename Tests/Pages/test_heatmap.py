"""The heat map itself: colours, keys, many rows, sorting, filters, and the ways to take it along."""

import csv
import io
import itertools
import json
import xml.etree.ElementTree as xml

import numpy as np
import pytest
from PIL import Image

import accessibility
import browser
import files
import token_page
from token_page import opened, settled, show, tokens

HOSTILE = [["<img src=x onerror=alert(1)>", "=1+1", '"quoted"', "\u202eabc", "]]>", "\n"], ["a", "b", "c", "\x00", "\ud800", "é"]]


def colored(page):
    """The backgrounds of the tokens in sight."""
    return page.locator(".heat-map .token").evaluate_all("all => all.map(one => getComputedStyle(one).backgroundColor)")


def test_every_coloring_colors(visit):
    page = opened(visit)
    seen = set()
    for name in ("ΔH", "Score", "Margin", "Loss", "Gradient", "Probability", "Entropy", "Mask"):
        page.locator(".stage .toolbar label").filter(has_text=name).first.click()
        seen.add(tuple(colored(page)))
        assert page.locator(".legend .scale").first.inner_text()
        for view in page.locator(".stage label").filter(has_text="under ").all():
            view.click()
            seen.add(tuple(colored(page)))
    assert len(seen) >= 12, "eight colourings, three of them under three views; few tokens have a gradient"


def test_the_hottest_token_is_the_one_with_the_largest_rise(visit):
    page = opened(visit)
    alphas = [float(color.rstrip(")").split(",")[-1]) if "rgba" in color else 1.0 for color in colored(page)]
    assert tokens(page)[int(np.argmax(alphas))] == "m"


def test_keys_move_and_the_card_follows(visit):
    page = opened(visit)
    page.locator(".heat-map").focus()
    assert page.locator(".token.active").inner_text() == "R"
    page.keyboard.press("ArrowRight")
    assert page.locator(".card-token").inner_text() == "e"
    page.keyboard.press("End")
    assert page.locator(".card-token").inner_text() == "n"
    page.keyboard.press("Home")
    page.keyboard.press("n")
    assert page.locator(".token.active").evaluate("one => one.classList.contains('masked')")
    active = page.locator(".heat-map").get_attribute("aria-activedescendant")
    assert "perception token, in the loss" in page.locator(f"#{active}").get_attribute("aria-label")
    page.keyboard.press("p")
    assert page.locator(".token.active").inner_text() == "R"
    assert page.locator(".picture-mark").first.is_visible()
    assert accessibility.violations(page) == []


def test_a_click_holds_a_token(visit):
    page = opened(visit)
    page.locator(".heat-map .token").nth(3).click()
    page.locator(".heat-map .token").nth(9).hover()
    assert page.locator(".card-token").inner_text() == tokens(page)[3]
    page.locator(".heat-map .token").nth(3).click()
    page.locator(".heat-map .token").nth(9).hover()
    assert page.locator(".card-token").inner_text() == tokens(page)[9]


def test_filters_fade_and_leave_out(visit):
    page = opened(visit)
    show(page, {"a.safetensors": token_page.saved_batch(texts=[["cat", "dog", "cat", "x", "y", "z"], ["u", "v", "w", "x", "y", "z"]])})
    page.get_by_label("Text in a token").fill("cat")
    assert tokens(page, "token:not(.faded)") == ["cat", "cat"]
    assert page.locator(".heat-head").count() == 1, "rows without such a token are left out"
    page.get_by_label("Text in a token").fill("")
    page.locator(".toolbar.below select").nth(1).select_option("perception")
    assert "tokens" in page.locator(".toolbar.below .help").first.inner_text()
    assert len(tokens(page, "faded")) > 0


def test_rows_are_sorted(visit):
    page = opened(visit)
    show(page, {"a.safetensors": token_page.saved_batch(rows=4, places=8)})
    page.locator(".toolbar.below select").first.select_option("delta")
    heads = page.locator(".heat-head b").all_inner_texts()
    tensors, _ = token_page.batch(rows=4, places=8)
    rise = (tensors["removing.entropy"] - tensors["original.entropy"]).mean(1)
    assert heads == [f"rollout {row}" for row in np.argsort(-rise)]


def test_the_table_sorts_by_its_columns(visit):
    page = opened(visit)
    page.locator("label").filter(has_text="Table").click()
    page.get_by_role("button", name="ΔH", exact=True).click()
    assert page.get_by_role("columnheader", name="ΔH").get_attribute("aria-sort") == "descending"
    assert page.locator(".token-rows .cell.text").first.inner_text() == "m"
    page.get_by_role("button", name="ΔH", exact=True).click()
    assert page.get_by_role("columnheader", name="ΔH").get_attribute("aria-sort") == "ascending"
    assert page.locator(".token-rows .cell.text").first.inner_text() != "m"
    assert accessibility.violations(page) == []
    page.locator(".token-rows .token-row").first.click()
    page.locator(".token.active").wait_for()


def test_the_labels_of_the_histogram_lie_beside_each_other(visit):
    """Of ΔH from just below 0 to far above: the label of 0 would lie on that of the lower end."""
    page = visit("/", width=400)
    boxes = page.evaluate("""async () => {
        const { histogram } = await import("./assets/script/heat-map/histogram.js");
        const figures = [[-0.085, 1.7], [-1.7, 0.085], [-1, 1]].map((values) => histogram({
            columns: new Map([["delta_entropy", Float64Array.from(values)]]), masks: {}, counts: () => true,
        }, "delta_entropy", "ΔH"));
        document.body.append(...figures);
        return figures.map((figure) => [...figure.querySelectorAll("svg text")].map((text) => {
            const { left, right } = text.getBoundingClientRect();
            return [left, right];
        }));
    }""")
    assert [len(labels) for labels in boxes] == [2, 2, 3]
    for labels in boxes:
        labels.sort()
        assert all(right < left for (_, right), (left, _) in itertools.pairwise(labels)), labels


def test_the_histogram_says_where_perception_begins(visit):
    page = opened(visit)
    label = page.locator(".histogram svg").get_attribute("aria-label")
    assert label.startswith("Histogram of ΔH: 26 tokens") and "lowest perception token is at 0.1842" in label
    assert page.locator(".histogram rect.chosen").count() > 3


def exported(page, form):
    page.get_by_role("button", name="Export").click()
    return files.saved(page, page.get_by_role("button", name=form).click)


def test_exports_hold_what_is_shown(visit, tmp_path):
    page = opened(visit)
    show(page, {"<b>\u202e.safetensors": token_page.saved_batch(texts=HOSTILE)})
    name, data = exported(page, "CSV")
    assert name.endswith(".csv") and "<" not in name and "\u202e" not in name
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    assert [row["token"] for row in rows[:3]] == ["<img src=x onerror=alert(1)>", "'=1+1", '"quoted"']
    tensors, _ = token_page.batch()
    assert float(rows[1]["removing.entropy"]) == pytest.approx(tensors["removing.entropy"][0, 1])
    rise = tensors["removing.entropy"] - tensors["original.entropy"]
    assert float(rows[7]["delta_entropy"]) == pytest.approx(rise[1, 1], abs=1e-6)

    name, data = exported(page, "JSON")
    held = json.loads(data)
    assert held["options"]["preset"] == "cppo-areal" and held["rollouts"][1]["tokens"][0] == "a"
    assert sum(sum(rollout["mask"]) for rollout in held["rollouts"]) == held["diagnostics"]["gated"]

    name, data = exported(page, "PNG")
    picture = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    assert picture.shape[1] == 2000 and np.ptp(picture, axis=2).max() > 60, "there is colour in it"

    name, data = exported(page, "SVG")
    tree = xml.fromstring(data)
    kinds = {node.tag.split("}")[1] for node in tree.iter()}
    assert kinds == {"svg", "style", "rect", "text"}
    assert "<img src=x onerror=alert(1)>" in [node.text for node in tree.iter()]

    name, data = exported(page, "HTML")
    (tmp_path / "heat.html").write_bytes(data)
    assert "<script" not in data.decode() and "<img" not in data.decode()


def test_the_exported_page_stands_alone(visit, tmp_path):
    page = opened(visit)
    show(page, {"a.safetensors": token_page.saved_batch(texts=HOSTILE)})
    _, data = exported(page, "HTML")
    (tmp_path / "heat.html").write_bytes(data)
    alone = visit("", base=f"file://{tmp_path}/heat.html")
    assert alone.locator(".r i").count() == 12
    assert alone.locator(".r i").first.inner_text() == "<img src=x onerror=alert(1)>"
    before = alone.locator(".r i").evaluate_all("all => all.map(one => getComputedStyle(one).backgroundColor)")
    alone.get_by_text("Loss", exact=True).click()
    assert alone.locator(".r i").evaluate_all("all => all.map(one => getComputedStyle(one).backgroundColor)") != before
    browser.screenshot(alone, "exported")


def test_a_trainers_batch_is_drawn_in_part_and_posted_as_tensors(visit):
    page = opened(visit)
    posted = []
    page.on("request", lambda request: request.method == "POST" and posted.append((request.headers["content-type"], request.url)))
    page.get_by_role("button", name="100 ×").click()
    page.locator(".heat-strip").first.wait_for(timeout=60_000)
    settled(page)
    assert posted and all(kind == "application/x-safetensors" for kind, _ in posted)
    assert page.locator(".heat-strip").count() < 60
    page.locator("label").filter(has_text="Text").last.click()
    page.locator(".heat-line").first.wait_for()
    height = page.locator(".heat-space").first.evaluate("space => space.offsetHeight")
    assert height > 100_000
    box = page.locator(".heat-map")
    for share in (0.25, 0.5, 0.999):
        box.evaluate("(box, share) => { box.scrollTop = share * box.scrollHeight; }", share)
        page.wait_for_timeout(150)
        assert 50 < page.locator(".token").count() < 1500, "only what is in sight is in the document"
    assert page.locator(".heat-head, .heat-line").last.is_visible()
    browser.screenshot(page, "tokens-large")


def test_strips_lead_to_their_tokens(visit):
    page = opened(visit)
    show(page, {"a.safetensors": token_page.saved_batch(rows=12, places=50)}, ".heat-strip")
    strip = page.locator(".heat-strip canvas").nth(4)
    box = strip.bounding_box()
    strip.click(position={"x": box["width"] * 0.505, "y": 5})
    assert "rollout 4 · position 25" in page.locator(".card-where").inner_text()
    page.locator("label").filter(has_text="Text").last.click()
    assert page.locator(".token.active").is_visible()
    page.locator(".heat-map").focus()
    page.keyboard.press("ArrowDown")
    assert "rollout 4" in page.locator(".card-where").inner_text() or "rollout 5" in page.locator(".card-where").inner_text()
    assert accessibility.violations(page) == []
