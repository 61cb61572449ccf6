"""Chromium as a reader's window: pages of one size and colour scheme, each with a witness that nothing went wrong."""

import os
import pathlib
import re
import shutil

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
# A name that leads to this machine and yet is no secure context: there the browser closes the clipboard.
PLAIN_HOST = "perception.test"
HEIGHTS = {1280: 900, 400: 860}


def executable():
    """The path of Debian's Chromium; PERCEPTION_CHROMIUM names another one."""
    found = os.environ.get("PERCEPTION_CHROMIUM") or shutil.which("chromium")
    assert found, "no Chromium: run `Tests/install chromium`, or name one in PERCEPTION_CHROMIUM"
    return found


def launch(playwright):
    arguments = [f"--host-resolver-rules=MAP {PLAIN_HOST} 127.0.0.1", "--force-color-profile=srgb", "--disable-gpu"]
    return playwright.chromium.launch(
        executable_path=executable(),
        # Chromium's sandbox refuses to start for root, as whom a container runs the tests.
        chromium_sandbox=os.geteuid() != 0,
        args=arguments,
    )


class Witness:
    """What a page reported that nobody should see: console errors, violations of the policy, uncaught exceptions."""

    def __init__(self):
        self.reports = []
        self.allowed = []

    def watch(self, page):
        page.on("console", self.hear)
        page.on("pageerror", lambda error: self.reports.append(f"uncaught: {error}"))
        page.on("crash", lambda _: self.reports.append("the page crashed"))

    def hear(self, message):
        if message.type in ("error", "warning", "assert"):
            self.reports.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def allow(self, pattern):
        """Lets reports pass that match: what Chromium logs for an answer of 4xx that the test provokes."""
        self.allowed.append(re.compile(pattern))

    def faults(self):
        return [r for r in self.reports if not any(a.search(r) for a in self.allowed)]


class Visitor:
    """Opens pages of one server; call it with a path. `witness` is shared by all pages of a test."""

    def __init__(self, browser, base):
        self.browser, self.base = browser, base
        self.witness = Witness()
        self.contexts = []

    def __call__(self, path="/docs", *, base=None, width=1280, scheme="light", **context):
        """The page at the path, loaded; options such as `java_script_enabled` go to the browser's context."""
        context.setdefault("viewport", {"width": width, "height": HEIGHTS.get(width, 900)})
        opened = self.browser.new_context(color_scheme=scheme, reduced_motion="reduce", **context)
        opened.set_default_timeout(30_000)
        self.contexts.append(opened)
        page = opened.new_page()
        self.witness.watch(page)
        if PLAIN_HOST in (base or self.base):
            # The header is for addresses that Chromium trusts; elsewhere it says so and goes on.
            self.allow("Cross-Origin-Opener-Policy header has been ignored")
        page.goto((base or self.base) + path)
        return page

    def allow(self, pattern):
        self.witness.allow(pattern)

    def close(self):
        for context in self.contexts:
            context.close()


def grant_clipboard(page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])


def clipboard(page, address):
    """The clipboard's text, read in another tab at a secure address of the same browser."""
    grant_clipboard(page)
    reader = page.context.new_page()
    reader.goto(address)
    reader.bring_to_front()
    text = reader.evaluate("navigator.clipboard.readText()")
    reader.close()
    return text


def overflowing(page):
    """Elements that stick out of the window sideways, outside boxes that scroll by themselves."""
    return page.evaluate(
        """() => {
            const width = document.documentElement.clientWidth, found = [];
            if (document.scrollingElement.scrollWidth <= width) return found;
            for (const element of document.querySelectorAll("body *")) {
                const box = element.getBoundingClientRect();
                if (box.width && box.right > width + 1) found.push(element.tagName + "." + element.className);
            }
            return found.length ? found.slice(0, 8) : ["the document"];
        }"""
    )


def screenshot(page, name, **options):
    """Saves a picture to PERCEPTION_SCREENSHOTS (by default `.screenshots` in the repository) and returns its path."""
    folder = pathlib.Path(os.environ.get("PERCEPTION_SCREENSHOTS", REPOSITORY / ".screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.png"
    # Playwright would hide carets and animations with a style element of its own, which the policy forbids.
    page.screenshot(path=path, caret="initial", animations="allow", **options)
    return path
