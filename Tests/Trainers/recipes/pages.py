"""The code of the package's recipes."""

import re

from features import REPOSITORY

RECIPES = REPOSITORY / "Sources/perception-client/recipes"


def code(name):
    """The one block of Python that runs."""
    (found,) = re.findall(r"^```python\n(.*?)^```$", (RECIPES / f"{name}.md").read_text(encoding="utf-8"), re.M | re.S)
    return found
