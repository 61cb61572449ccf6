"""POST /v1/perturb, with images and views in their wire form. `views.py` has the convenient form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from . import arrays, multipart
from .calls import Answer, Call, target
from .options import plain
from .safetensors_file import MEDIA_TYPE, Stored, encode

Pixels = np.ndarray[Any, Any]
Format = Literal["pixels", "png", "jpeg"]


@dataclass(frozen=True)
class View:
    """One perturbed image.

    Attributes:
        steps: what was drawn, with every number; posting it back gives the same pixels.
        data: U8 [H,W,3], or the bytes of a PNG or JPEG file.
    """

    image: str
    name: str
    variant: int
    steps: list[dict[str, Any]]
    width: int
    height: int
    data: Pixels | bytes = field(repr=False)


@dataclass(frozen=True)
class Perturbed:
    """The views in the order of the request: by image, then view, then variant."""

    views: list[View]
    server_ms: float | None = None
    request_id: str | None = None

    def of(self, image: str, name: str, variant: int = 0) -> View:
        """Return one view by its image's id and its name."""
        for view in self.views:
            if (view.image, view.name, view.variant) == (image, name, variant):
                return view
        raise KeyError(f"no view {name!r} (variant {variant}) of image {image!r}")


def perturb(
    images: Mapping[str, Any] | Sequence[Any],
    views: Sequence[Mapping[str, Any]],
    *,
    format: Format = "pixels",
    second_only: Sequence[str] = (),
    **setting: Any,
) -> Call[Perturbed]:
    """Perturb images.

    Args:
        images: by id, or in order with the ids 0, 1, …: each the bytes of a JPEG or PNG file, or pixels U8 [H,W,3].
            All files, or all pixels.
        views: each with `name`, `recipe` or `steps`, and `seed`; as the contract has it.
        format: pixels, or the files to get.
        second_only: ids of images that are only read as another's second image.
        setting: `variants`, `alpha`, `orientation`, `quality`, `level`, `subsampling`, `allow_truncated`.
    """
    named = dict(images) if isinstance(images, Mapping) else {str(i): x for i, x in enumerate(images)}
    listed = [{"id": name} | ({"second_only": True} if name in second_only else {}) for name in named]
    request = {"images": listed, "views": plain(list(views))} | plain(setting)
    if format != "pixels":
        request["format"] = format
    headers = {"Accept": MEDIA_TYPE if format == "pixels" else "multipart/mixed"}
    files = [isinstance(x, bytes | bytearray | memoryview) for x in named.values()]
    if all(files):
        parts = [multipart.Part(n, x, "application/octet-stream") for n, x in named.items()]
        parts.insert(0, multipart.Part("request", json.dumps(request).encode(), "application/json"))
        headers["Content-Type"], pieces = multipart.form(parts)
    elif any(files):
        raise TypeError("images: all encoded files, or all pixels; not both in one request")
    else:
        headers["Content-Type"] = MEDIA_TYPE
        pieces = encode({n: _pixels(n, x) for n, x in named.items()}, {"request": json.dumps(request)})
    return Call("POST", target("/v1/perturb"), _read, headers, tuple(pieces))


def _pixels(name: str, value: Any) -> Stored:
    tensor = arrays.host(value)
    if tensor.dtype != "U8" or len(tensor.shape) != 3 or tensor.shape[2] != 3:
        raise TypeError(f"images[{name}]: expected U8 [H,W,3], not {tensor.dtype} {list(tensor.shape)}")
    return tensor


def _read(answer: Answer) -> Perturbed:
    data: dict[str, Pixels | bytes]
    if answer.content_type == MEDIA_TYPE:
        tensors, said = answer.tensors()
        data = {name: tensor.array for name, tensor in tensors.items()}
    else:
        first, *rest = multipart.mixed(answer.headers.get("Content-Type") or "", answer.body)
        said = json.loads(bytes(first.data))
        data = {part.name: bytes(part.data) for part in rest}
    found = []
    for image in said["images"]:
        for v in image["views"]:
            name = f"{image['id']}.{v['name']}"
            stored = data.get(name) if name in data else data[f"{name}.{v['variant']}"]
            assert stored is not None
            found.append(
                View(image["id"], v["name"], v["variant"], v["steps"], v["width"], v["height"], stored)
            )
    return Perturbed(found, answer.server_ms, answer.request_id)
