"""axe-core on a page: what a screen reader or a reader with weak eyes could not use."""

from axe_playwright_python.sync_playwright import Axe

# WCAG 2.2 at levels A and AA, and axe's own advice on landmarks and headings.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(page, within=None):
    """One line for each element that breaks a rule: the rule, the element, what is wrong with it."""
    options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"], "preload": False}
    found = Axe().run(page, context=within, options=options).response["violations"]
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))}: {' '.join(node['failureSummary'].split())}"
        for rule in found
        for node in rule["nodes"]
    ]
