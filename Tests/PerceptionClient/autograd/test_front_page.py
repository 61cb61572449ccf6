"""The trainer's example on the repository's front page runs."""

import re

from PIL import Image
from test_readme_autograd import torch_names

from features import FIXTURES, REPOSITORY
from perception_client import Perception


def test_the_front_pages_example_trains(url, batch, monkeypatch):
    monkeypatch.setattr(Perception, "local", classmethod(lambda cls: cls(url)))
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    (code,) = (c for c in re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S) if "perception_client" in c)
    names = torch_names(batch) | {"images": [Image.open(FIXTURES / "page.png")], "step": 3}
    exec(compile(code.replace("http://127.0.0.1:8080", url), "README.md", "exec"), names)
    assert (names["a"].grad != 0).any() and len(names["views"].removing) == 1
