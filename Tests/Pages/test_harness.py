"""The harness notices what it is there for: each fault is planted once."""

import pytest

import accessibility
import browser

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'"
FINE = "<!doctype html><html lang=en><title>Fine</title><main><h1>Fine</h1><p>Nothing is wrong here.</p></main>"


@pytest.fixture
def planted(chromium, server):
    """Opens given HTML as a page of the server's, under the pages' policy; returns the page and its witness."""
    visitor = browser.Visitor(chromium, server)

    def open_page(html, script=""):
        context = chromium.new_context(viewport={"width": 400, "height": 600})
        visitor.contexts.append(context)
        page = context.new_page()
        visitor.witness.watch(page)
        page.route("**/planted.js", lambda route: route.fulfill(body=script, content_type="text/javascript"))
        page.route(
            "**/planted",
            lambda route: route.fulfill(
                body=html + "<script src=planted.js></script>",
                headers={"Content-Type": "text/html", "Content-Security-Policy": POLICY},
            ),
        )
        page.goto(server + "/planted")
        page.wait_for_load_state("networkidle")
        return page, visitor.witness

    yield open_page
    visitor.close()


def test_a_page_without_fault_passes(planted):
    page, witness = planted(FINE)
    assert witness.faults() == [] and accessibility.violations(page) == [] and browser.overflowing(page) == []
    assert browser.screenshot(page, "harness").read_bytes().startswith(b"\x89PNG")
    assert witness.faults() == [], "looking at a page must not break its policy"


@pytest.mark.parametrize(
    "html, script, words",
    [
        (FINE + "<p style='color: red'>", "", "Content Security Policy"),
        (FINE + "<script>1</script>", "", "Content Security Policy"),
        (FINE + "<img alt='' src=http://127.0.0.1:9/x.png>", "", "Content Security Policy"),
        (FINE, "console.error('planted error')", "planted error"),
        (FINE, "null.x", "uncaught"),
        (FINE, "Promise.reject(new Error('planted rejection'))", "planted rejection"),
        (FINE, "fetch('no-such-path').then(reply => reply.text())", "404"),
    ],
)
def test_what_a_page_complains_of_is_a_fault(planted, html, script, words):
    _, witness = planted(html, script)
    assert any(words in fault for fault in witness.faults()), witness.reports


def test_what_is_allowed_is_no_fault(planted):
    _, witness = planted(FINE, "console.error('planted error')")
    witness.allow("planted")
    assert witness.reports and not witness.faults()


def test_what_a_screen_reader_cannot_read_is_a_violation(planted):
    page, _ = planted(FINE.replace("<p>", "<img src='data:,'><p>"))
    assert any(line.startswith("image-alt") for line in accessibility.violations(page))


def test_what_sticks_out_is_found(planted):
    page, _ = planted(FINE.replace("<p>", "<p>" + "x" * 400))
    assert browser.overflowing(page)
