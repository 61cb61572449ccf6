"""The repository's Markdown: its links, headings and the names of files in it."""

import pathlib
import re
import subprocess
import urllib.parse

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
# ![text](target), [text](target), with an optional title; texts may be broken over lines.
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
SPAN = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^(```+|~~~+).*?^\1[ \t]*$", re.M | re.S)
HEADING = re.compile(r"^#{1,6} +(.+?)(?: +#+)? *$", re.M)


def all_documents():
    """Every Markdown file that is, or is about to be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z", "--", "*.md"],
        cwd=REPOSITORY, capture_output=True, check=True).stdout  # fmt: skip
    return [REPOSITORY / name for name in sorted(listed.decode().split("\0")) if name and (REPOSITORY / name).exists()]


def prose(document):
    """The text without fenced code."""
    return FENCE.sub("", document.read_text(encoding="utf-8"))


def anchors(document):
    """What a link may name after #, as GitHub makes it of headings."""
    found = []
    for title in HEADING.findall(prose(document)):
        plain = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", title).replace("`", "").lower()
        found.append(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return {name if found[:index].count(name) == 0 else f"{name}-{found[:index].count(name)}"
            for index, name in enumerate(found)}  # fmt: skip


def links(document):
    """The links that lead within the repository: (target as written, path, anchor or None)."""
    text = SPAN.sub("", prose(document))
    for target in LINK.findall(text):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        path, _, anchor = urllib.parse.unquote(target).partition("#")
        yield target, (document.parent / path).resolve() if path else document, anchor or None


def broken_links(document):
    """What is wrong with each link that leads nowhere."""
    for target, path, anchor in links(document):
        if REPOSITORY not in [path, *path.parents]:
            yield f"{target}: outside the repository"
        elif not path.exists():
            yield f"{target}: no such file"
        elif anchor and anchor not in anchors(path):
            yield f"{target}: no such heading"
