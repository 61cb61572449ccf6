"""/docs of a server that wants a token, and behind a path prefix."""

import urllib.parse

from conftest import TOKEN
from docs_page import DocsPage


def test_a_token_opens_the_contract_and_stays_in_its_tab(visit, guarded):
    visit.allow("status of 401")
    page = visit("/docs", base=guarded)
    page.get_by_text("This server asks for a token.").first.wait_for()
    field = page.get_by_label("Bearer token")
    assert field.evaluate("f => f === document.activeElement"), "the field is ready to be typed into"
    field.fill("a-token-that-is-wrong")
    page.keyboard.press("Enter")
    page.get_by_text("The server does not accept this token.").wait_for()
    assert page.locator("#score").count() == 0
    field.fill(TOKEN)
    page.keyboard.press("Enter")
    opened = DocsPage(page)
    assert opened.trial("info").send() == 200
    assert TOKEN not in page.content() and TOKEN not in page.url

    page.reload()
    DocsPage(page)
    other = page.context.new_page()
    visit.witness.watch(other)
    other.goto(guarded + "/docs")
    other.get_by_text("This server asks for a token.").first.wait_for()


def test_the_shell_without_a_token_tells_nothing(visit, guarded):
    visit.allow("status of 401")
    page = visit("/docs", base=guarded)
    page.get_by_text("This server asks for a token.").first.wait_for()
    assert "cppo" not in page.content().lower()


def test_behind_a_prefix_everything_stays_behind_it(visit, prefixed, server):
    requested = []
    page = visit("/docs#section-errors", base=prefixed)
    page.on("request", lambda request: requested.append(request.url))
    page.reload()
    opened = DocsPage(page)
    opened.wait_in_view("section-errors")
    trial = opened.trial("perturb")
    assert trial.send() == 200 and trial.pictures() == [[2, 2], [2, 2]]
    trial.choose("Body as", "image/jpeg")
    trial.place.get_by_text("photograph.jpg").wait_for()
    assert trial.send() == 200
    assert f"{prefixed}/v1/perturb?" in trial.copied("curl")
    assert f'Perception("{prefixed}")' in trial.copied("Python")
    for link in page.locator(".page-header a, .intro-links a").evaluate_all("all => all.map(a => a.href)"):
        assert link.startswith(prefixed + "/"), link
    own = [url for url in requested if urllib.parse.urlsplit(url).scheme == "http"]
    assert len(own) > 20 and not [url for url in own if not url.startswith(prefixed + "/")]
