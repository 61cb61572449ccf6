"""The examples of the package's README, and how they are run: in order, in one namespace, beside a server."""

import re

from features import FIXTURES, REPOSITORY

README = REPOSITORY / "Sources/perception-client/README.md"


def examples():
    """(kind, code) of each fenced block; the kind is the words after the fence."""
    return re.findall(r"^```([^\n]+)\n(.*?)^```$", README.read_text(encoding="utf-8"), re.M | re.S)


def run(kinds, url, namespace, folder, **replaced):
    """Run the blocks of the kinds with the server's address in place of the one that is written there."""
    for name in ("photograph.jpg", "page.png"):
        (folder / name).write_bytes((FIXTURES / name).read_bytes())
    count = 0
    for kind, code in examples():
        if kind not in kinds:
            continue
        for old, new in ({"http://127.0.0.1:8080": url} | replaced).items():
            code = code.replace(old, new)
        exec(compile(code, f"{README} ({kind})", "exec"), namespace)
        count += 1
    return count
