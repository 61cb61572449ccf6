"""Every page at both widths, light and dark: nothing to complain of, nothing that sticks out, nothing axe objects to."""

import pytest
import requests

import accessibility
import browser
import contract

PAGES = {"playground": "/", "views": "/#views", "docs": "/docs", "live": "/live"}
# Of the contract, which is long, one part of each kind.
PARTS = [".page-header", ".docs-side", ".docs-intro", "#section-tensors", "#section-errors", "#score", "#perturb", "#status-422",
         "#schema-ScoreRollout", "#schema-ScoreRequest", "#schema-EntropyFrom"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_faults(visit, keeping, name, width, scheme):
    page = visit(PAGES[name], base=keeping, width=width, scheme=scheme)
    page.wait_for_load_state("load")
    if name == "live":
        score = contract.json_examples(next(o for id, _, _, o, _ in contract.operations() if id == "score"))["rollouts"]
        requests.post(f"{keeping}/v1/score", json=score, headers={"Perception-Run": "smoke"}, timeout=10).raise_for_status()
        page.get_by_text("smoke").first.wait_for()
    if name == "docs":
        page.locator("#schemas").wait_for()
    assert browser.overflowing(page) == []
    assert accessibility.violations(page, within={"include": PARTS} if name == "docs" else None) == []
    browser.screenshot(page, f"{name}-{width}-{scheme}")
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") == (scheme == "dark")
    shade = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).slice(0, 3).map(Number)")
    assert (sum(shade) < 200) == (scheme == "dark"), "the ground follows the scheme"


# Requests to addresses that match are never answered; `held` counts them.
HOLD = """
    const send = window.fetch;
    window.held = 0;
    window.fetch = (address, options) => {
        if (!ADDRESSES.test(address)) return send(address, options);
        window.held += 1;
        return new Promise(() => {});
    };
"""
WAITING = [*((name, ".") for name in PAGES), ("playground", "score"), ("views", "pictures"), ("views", "perturb")]


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name, addresses", WAITING)
def test_a_page_has_no_faults_while_it_waits(visit, keeping, name, addresses, width):
    """What is still empty must be right, too: a slow server shows it for a while."""
    page = visit("/llms.txt", base=keeping, width=width)
    page.add_init_script(f"{{ const ADDRESSES = /{addresses}/; {HOLD} }}")
    page.goto(keeping + PAGES[name])
    page.wait_for_function("() => window.held > 0")
    assert browser.overflowing(page) == []
    assert accessibility.violations(page) == []


def test_llms_txt_leads_to_every_operation(server):
    text = requests.get(f"{server}/llms.txt", timeout=10).text
    assert text.startswith("# ")
    missing = [path for _, _, path, _, _ in contract.operations() if path not in text]
    assert not missing
