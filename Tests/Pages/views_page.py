"""The tab of views, as tests drive it."""

import base64
import io

import numpy as np
from PIL import Image

import browser

FIXTURES = browser.REPOSITORY / "Tests/Fixtures"
HOSTILE = "\u202egnp.<img src=x onerror=alert(1)>'; touch pwned; '.png"


def opened(visit, **options):
    page = visit("/#views", **options)
    page.wait_for_selector(".view-figure.removing canvas")
    return page


def settled(page):
    """Waits for the answer to the last change."""
    page.wait_for_selector('#views-panel [aria-busy="false"]')


def original(page, size, **options):
    """Waits for a picture of this size."""
    page.locator(".view-figure.original").filter(has_text=size).wait_for(**options)


def pixels(page, view):
    """What the canvas of a view shows, U8 [H,W,3]."""
    uri = page.evaluate("view => document.querySelector(`.view-figure.${view} canvas`).toDataURL()", view)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))).convert("RGB"))
