"""What a reader does on /docs, in words."""

from contextlib import contextmanager

import browser


class DocsPage:
    """The page once the contract is on it."""

    def __init__(self, page, wait=True):
        self.page = page
        if wait:
            page.locator("#schemas").wait_for()

    def go(self, fragment):
        self.page.evaluate("fragment => { location.hash = fragment }", fragment)

    @property
    def fragment(self):
        return self.page.evaluate("location.hash.slice(1)")

    def in_view(self, id):
        """Whether the element's top is in the window, and not behind the header."""
        return self.page.evaluate(
            """id => {
                const box = document.getElementById(id).getBoundingClientRect();
                const header = document.querySelector(".page-header");
                const top = getComputedStyle(header).position === "sticky" ? header.offsetHeight : 0;
                return box.top >= top - 20 && box.top < innerHeight - 20;
            }""",
            id,
        )

    def wait_in_view(self, id):
        self.wait_revealed(id)
        assert self.in_view(id), id

    def wait_revealed(self, id):
        """Waits until the page has followed its address to the element.

        Chromium moves the focus at once and tells the page later, and the page then moves it again: a key that is
        pressed in between would go to another place.
        """
        self.page.wait_for_function(
            "id => document.activeElement?.id === id && document.activeElement.matches('.is-target')", arg=id
        )

    def trial(self, operation):
        return Trial(self.page, self.page.locator(f"[id='{operation}'] .try"))


class Trial:
    """The place to try one operation."""

    def __init__(self, page, place):
        self.page, self.place = page, place
        self.reply = place.locator(".try-reply")

    def choose(self, label, value):
        self.place.get_by_label(label, exact=True).select_option(value)

    def write(self, text, label="Body"):
        self.place.get_by_label(label, exact=True).fill(text)

    def add(self, name, value=None):
        self.place.get_by_label("Parameter to add").select_option(name)
        self.place.get_by_role("button", name="Add this parameter").click()
        control = self.place.locator(f".try-parameter[data-name='{name}'] :is(input, select)")
        if value is not None:
            control.select_option(value) if control.evaluate("c => c.tagName") == "SELECT" else control.fill(value)
        return control

    @contextmanager
    def replying(self):
        """A click or a key within this sends the request; the reply is there behind it."""
        self.place.evaluate("place => place.querySelector('.reply-line')?.remove()")
        yield
        self.reply.locator(".reply-line").wait_for()

    def send(self):
        """Sends it and returns the reply's status."""
        with self.replying():
            self.place.get_by_role("button", name="Send").click()
        return self.status

    @property
    def status(self):
        return int(self.reply.locator(".reply-line .status").inner_text())

    def copied(self, language):
        """What the copy button puts into the clipboard."""
        browser.grant_clipboard(self.page)
        self.page.evaluate("navigator.clipboard.writeText('nothing was copied')")
        self.place.locator(".try-as", has_text=language).locator("button.copy").click()
        # The button says so only for a moment, which a busy machine may miss.
        self.page.wait_for_function("async () => await navigator.clipboard.readText() !== 'nothing was copied'", polling=100)
        return self.page.evaluate("navigator.clipboard.readText()")

    def pictures(self):
        """Sizes of the reply's pictures, once they are loaded."""
        self.page.wait_for_function(
            "place => [...place.querySelectorAll('img')].every(image => image.complete && image.naturalWidth)",
            arg=self.reply.element_handle(),
        )
        return self.reply.evaluate(
            "place => [...place.querySelectorAll('figure img, figure canvas')]"
            ".map(x => [x.naturalWidth ?? x.width, x.naturalHeight ?? x.height])"
        )
