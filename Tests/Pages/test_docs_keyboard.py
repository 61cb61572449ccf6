"""/docs with keys alone: from the address bar to a sent request and its reply."""


def focused(page):
    return page.evaluate(
        "(({ ariaLabel, labels, innerText }) => ariaLabel ?? labels?.[0]?.innerText ?? innerText ?? '')(document.activeElement)"
    )


def tab_to(page, wanted, most=40):
    """Presses Tab until what has the focus is called so; every stop on the way must be visible."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.try *')"):
            assert page.evaluate("document.activeElement.checkVisibility()"), focused(page)
        if focused(page).strip() == wanted:
            return
    raise AssertionError(f"{wanted!r} was not reached; the focus is on {focused(page)!r}")


def test_from_search_to_reply_with_keys_alone(docs):
    opened = docs()
    page, keys = opened.page, opened.page.keyboard
    keys.press("Tab")
    assert focused(page) == "Skip to content"
    keys.press("Enter")
    opened.wait_revealed("main")

    keys.press("/")
    keys.type("advantages")
    keys.press("Enter")
    opened.wait_in_view("advantages")

    trial = opened.trial("advantages")
    tab_to(page, "Example")
    keys.press("ArrowDown")
    page.wait_for_function("t => t.value.includes('rloo')", arg=trial.place.get_by_label("Body", exact=True).element_handle())
    tab_to(page, "Body")
    keys.press("Control+End")
    keys.type(" ")
    with trial.replying():
        keys.press("Control+Enter")
    assert trial.status == 200
    assert page.get_by_role("status").filter(has_text="Status 200").count() == 1, "a screen reader hears of it"

    tab_to(page, "Parameter to add")
    tab_to(page, "Send")
    with trial.replying():
        keys.press("Enter")
    tab_to(page, "curl")
    keys.press("Enter")
    assert trial.place.get_by_label("Request as curl").is_visible()
    tab_to(page, "Values")
    keys.press("ArrowRight")
    assert trial.reply.locator("pre", has_text='"rollouts"').is_visible()


def test_a_parameter_is_added_and_removed_with_keys(docs):
    opened = docs("#mask")
    page, keys = opened.page, opened.page.keyboard
    opened.wait_in_view("mask")
    trial = opened.trial("mask")
    trial.place.get_by_label("Parameter to add").focus()
    keys.type("top_k")
    assert trial.place.locator(".try-parameter").count() == 0, "passing through the list adds nothing"
    tab_to(page, "Add this parameter")
    keys.press("Enter")
    page.wait_for_function("() => document.activeElement.closest('.try-parameter')?.dataset.name === 'top_k_ratio'")
    keys.press("Tab")
    assert focused(page) == "Remove top_k_ratio"
    keys.press("Enter")
    assert focused(page) == "Parameter to add"
    assert trial.place.locator(".try-parameter").count() == 0
