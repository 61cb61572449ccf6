"""Everything the contract says is on the page, and every link leads somewhere."""

import pytest

import contract


def test_every_operation_parameter_and_schema_has_a_place(read):
    page = read.page
    ids = set(page.evaluate("[...document.querySelectorAll('[id]')].map(element => element.id)"))
    for id, _, _, _, parameters in contract.operations():
        assert id in ids
        assert not {f"{id}.{p['name']}" for p in parameters} - ids
    for name, schema in contract.schemas().items():
        assert f"schema-{name}" in ids
        members = {f"schema-{name}.{m}" for m, s in schema.get("properties", {}).items() if s is not False}
        assert not members - ids
    assert not {f"problem-{t}" for t in contract.problem_types()} - ids


def test_every_link_within_the_page_has_a_target(read):
    dead = read.page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => decodeURIComponent(a.hash.slice(1)))"
        ".filter(id => !document.getElementById(id))"
    )
    assert dead == []


def test_ids_are_unique(read):
    doubled = read.page.evaluate(
        "(() => { const seen = new Set(), doubled = []; for (const { id } of document.querySelectorAll('[id]'))"
        " { if (seen.has(id)) doubled.push(id); seen.add(id); } return doubled; })()"
    )
    assert doubled == []


def test_an_operation_shows_what_a_caller_needs(read):
    score = read.page.locator("#score")
    assert score.locator("h3").inner_text().split() == ["POST", "/v1/score"]
    assert "Score rollouts under views of their images" in score.inner_text()
    row = score.locator("[id='score.top_k_ratio']")
    assert "0 < x ≤ 1" in row.inner_text() and "0.5" in row.inner_text() and "number" in row.inner_text()
    gate = score.locator("[id='score.gate']").inner_text()
    assert all(word in gate for word in ("positive_advantage", "reward", "none"))
    answers = score.locator(".reference", has_text="Answers")
    assert answers.locator(".failures a").all_inner_texts()[:2] == ["400", "401"]
    assert "X-Request-ID" in answers.locator("details.headers").first.text_content()


def test_markdown_is_rendered(read):
    page = read.page
    tensors = page.locator("#section-tensors")
    assert tensors.locator("th").all_inner_texts() == ["name", "shape", "element types in safetensors"]
    table = next(t for t in contract.document()["info"]["description"].split("\n\n") if t.startswith("| name | shape"))
    assert tensors.locator("tbody tr").count() == len(table.splitlines()) - 2
    assert tensors.locator("td code", has_text="cu_seqlens").count() >= 1
    assert page.locator("#section-encodings li").count() == 2
    assert page.locator("#score .prose strong").all_inner_texts()[:2] == ["Loss.", "Selection."]
    assert "sum by (run)" in page.locator("#metrics pre.code").first.inner_text()
    # Code may have what would be emphasis elsewhere, such as Python's power.
    prose = page.locator(".prose").evaluate_all(
        "parts => parts.map(part => { const copy = part.cloneNode(true);"
        " for (const code of copy.querySelectorAll('pre')) code.remove(); return copy.textContent; })"
    )
    assert len(prose) > 50 and not [text for text in prose if "**" in text or "`" in text or "|---" in text]


def test_paths_and_problem_types_in_prose_are_links(read):
    page = read.page
    assert page.locator("#score .prose a", has_text="/v1/advantages").first.get_attribute("href") == "#advantages"
    assert page.locator("#section-errors a", has_text="non-finite-value").get_attribute("href") == "#problem-non-finite-value"


def test_a_schema_says_who_uses_it(read):
    used = read.page.locator("#schema-ScoreRollout .used-by a").all_inner_texts()
    assert used == ["ScoreRolloutsRequest"]


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("id", ["mask", "score.tau", "schema-ScoreRollout.advantage", "problem-busy", "section-errors", "status-422"])
def test_deep_links_come_into_view(docs, width, id):
    opened = docs(f"#{id}", width=width)
    opened.wait_in_view(id)


def test_following_a_link_changes_the_address_and_back_returns(docs):
    opened = docs("#score")
    opened.page.locator("#score .failures a", has_text="422").click()
    opened.wait_in_view("status-422")
    assert opened.fragment == "status-422"
    opened.page.go_back()
    opened.wait_in_view("score")


def test_the_contents_follow_the_reader(docs):
    opened = docs("#perturb")
    current = opened.page.locator(".docs-contents a[aria-current]")
    current.filter(has_text="/v1/perturb").wait_for()
    opened.page.locator(".docs-contents a", has_text="Retrying").click()
    current.filter(has_text="Retrying").wait_for()
    assert current.count() == 1


def test_narrow_contents_fold_behind_a_button(docs):
    opened = docs(width=400)
    button = opened.page.get_by_role("button", name="Contents")
    contents = opened.page.locator("#contents")
    assert not contents.is_visible() and button.get_attribute("aria-expanded") == "false"
    button.click()
    assert contents.is_visible() and button.get_attribute("aria-expanded") == "true"
    contents.get_by_role("link", name="/v1/entropy").click()
    assert not contents.is_visible()
    opened.wait_in_view("entropy")


def test_on_paper_examples_are_open_and_fields_are_gone(docs):
    page = docs().page
    page.emulate_media(media="print")
    assert not page.locator(".try").first.is_visible() and not page.locator(".docs-side").is_visible()
    assert page.locator("#score .example pre").first.is_visible()
    assert page.pdf()[:5] == b"%PDF-"
    page.emulate_media(media="print", color_scheme="dark")
    ink = page.evaluate("getComputedStyle(document.body).color.match(/[0-9]+/g).slice(0, 3).map(Number)")
    assert sum(ink) < 100, "ink is dark on paper, whatever the screen's colours are"


def test_without_scripts_the_page_says_where_the_contract_is(visit):
    page = visit("/docs", java_script_enabled=False)
    assert page.get_by_role("link", name="openapi.yaml").get_attribute("href") == "openapi.yaml"
