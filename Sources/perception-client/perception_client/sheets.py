"""GET and POST /v1/recipes/NAME/preview: a contact sheet of a recipe's draws."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import multipart
from .calls import Answer, Call, target
from .options import plain


@dataclass(frozen=True)
class Sheet:
    """A PNG file; notebooks show it.

    Attributes:
        png: the file's bytes.
        size: (width, height) in pixels.
        cells: the cells' positions, from the header `Perception-Cells`.
    """

    png: bytes = field(repr=False)
    size: tuple[int, int]
    cells: str

    def save(self, path: str | Path) -> None:
        """Write the file."""
        Path(path).write_bytes(self.png)

    def _repr_png_(self) -> bytes:
        return self.png


def sheet(
    recipe: str | Mapping[str, Any],
    image: bytes | None = None,
    *,
    second_image: bytes | None = None,
    **setting: Any,
) -> Call[Sheet]:
    """Draw the original and views of a recipe on one sheet.

    Args:
        recipe: a recipe's name, or one written out.
        image: the bytes of a JPEG or PNG file. Default: the built-in picture.
        second_image: for recipes that read one.
        setting: `seed`, `draws`, `width`, `columns`, `schedule`, `always`, `alpha`, `orientation`, `allow_truncated`.
    """
    request = plain(setting)
    if isinstance(recipe, str):
        name = recipe
    else:
        name = str(recipe.get("name", "custom"))
        request["recipe"] = plain(recipe)
    files = [("image", image), ("second_image", second_image)]
    parts = [multipart.Part(n, x, "application/octet-stream") for n, x in files if x is not None]
    parts.insert(0, multipart.Part("request", json.dumps(request).encode(), "application/json"))
    content_type, pieces = multipart.form(parts)
    headers = {"Content-Type": content_type, "Accept": "image/png"}
    return Call("POST", target(f"/v1/recipes/{name}/preview"), _read, headers, tuple(pieces))


def _read(answer: Answer) -> Sheet:
    width, _, height = (answer.headers.get("Perception-Size") or "0x0").partition("x")
    cells = answer.headers.get("Perception-Cells") or ""
    return Sheet(bytes(answer.body), (int(width), int(height)), cells)
