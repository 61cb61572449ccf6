"""Search finds by name first, says how much it found, and works with keys alone."""

import pytest


@pytest.fixture
def search(read):
    opened = read
    opened.page.evaluate("document.activeElement.blur(), history.replaceState(null, '', location.pathname), scrollTo(0, 0)")
    opened.field = opened.page.get_by_role("combobox", name="Search the contract")
    opened.options = opened.page.get_by_role("listbox", name="Results").get_by_role("option")
    return opened


@pytest.mark.parametrize(
    "query, kind, name",
    [
        ("entropy", "Operation", "POST /v1/entropy"),
        ("tau", "Parameter", "tau"),
        ("busy", "Problem", "busy"),
        ("ScoreRollout", "Schema", "ScoreRollout"),
        ("retrying", "Section", "Retrying"),
        ("contact sheet", "Operation", "GET /v1/recipes/{name}/preview"),
    ],
)
def test_the_first_result_is_what_was_meant(search, query, kind, name):
    search.field.fill(query)
    first = search.options.first
    assert [first.locator(".kind").inner_text(), first.locator(".name").inner_text()] == [kind, name]
    search.field.fill("")


def test_slash_goes_there_and_enter_goes_on(search):
    search.page.keyboard.press("/")
    search.page.keyboard.type("posterize")
    assert search.field.input_value() == "posterize"
    search.page.keyboard.press("Enter")
    search.wait_in_view("schema-Posterize")
    assert search.field.input_value() == ""


def test_arrows_choose_and_the_reader_is_told(search):
    search.field.fill("clamp")
    assert search.page.get_by_role("status").filter(has_text="results").count() == 1
    search.field.press("ArrowDown")
    chosen = search.options.nth(1)
    assert chosen.get_attribute("aria-selected") == "true"
    assert search.field.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    search.field.press("ArrowUp")
    search.field.press("ArrowUp")
    assert search.options.last.get_attribute("aria-selected") == "true"
    search.field.press("Escape")
    assert search.field.input_value() == "" and search.field.get_attribute("aria-expanded") == "false"


def test_a_click_goes_there(search):
    search.field.fill("denominator")
    search.options.filter(has_text="policy_denominator").first.click()
    search.wait_in_view("score.policy_denominator")


def test_nothing_found_is_said(search):
    search.field.fill("<b>no such word</b>")
    assert search.page.locator(".search-nothing").inner_text() == "Nothing matches “<b>no such word</b>”."
    assert search.options.count() == 0
    search.field.fill("")


def test_a_slash_in_a_field_is_a_slash(search):
    editor = search.page.locator("#score").get_by_label("Body", exact=True)
    before = editor.input_value()
    editor.focus()
    search.page.keyboard.press("/")
    assert len(editor.input_value()) == len(before) + 1 and search.field.input_value() == ""
