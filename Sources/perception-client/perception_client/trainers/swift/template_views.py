"""Views of the pictures of rollouts as ms-swift's template shows them to the model, made while the trainer generates.

Every template has its own way to load and resize pictures and to arrange their pixels. So a prompt is encoded once to
get the pictures that the template has resized, and once for each view, with the view's pictures. Only pixels may differ
between these encodings: token ids and grids are compared.
"""

from __future__ import annotations

import copy
import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import torch

from ...errors import PerceptionError
from ..prompt_views import PromptViews, RowViews, digest

Encoded = dict[str, Any]
Pixels = dict[str, torch.Tensor]
# Any answer will do: only the prompt's pictures are of interest, and templates encode no conversation without one.
ANSWER = {"role": "assistant", "content": "."}


@dataclass
class Made:
    """Views of one prompt's pictures.

    Attributes:
        pixels: by view, `original` among them, the tensors of pixels among the model's inputs.
        failed: why there are none (`on_error="skip"`). `pixels` are then the original's, and must carry no loss.
    """

    pixels: dict[str, Pixels] = field(repr=False)
    failed: PerceptionError | None = None


class TemplateViews:
    """Makes the views of samples.

    Args:
        template: the trainer's.
        views: makes views of pictures that are resized already.

    Attributes:
        seconds: how long making the views that were collected last took.
        waited: how long `collect` waited for them, in seconds.
    """

    def __init__(self, template: Any, views: PromptViews) -> None:
        self.template = template
        self.views = views
        self.seconds = self.waited = 0.0
        self._spent = 0.0
        self._jobs: dict[str, Future[dict[str, Made]]] = {}
        self._thread: ThreadPoolExecutor | None = None

    def start(self, samples: Iterable[Any], step: int) -> None:
        """Begin to make the views of the samples' pictures; rollouts of one prompt share them.

        Args:
            samples: ms-swift's, with or without their responses.
            step: the trainer's, which the draw depends on.
        """
        new = {}
        for sample in samples:
            key = key_of(sample)
            if key is not None and key not in self._jobs and key not in new:
                # The trainer goes on to change its sample.
                new[key] = _conversation(sample)
        if not new:
            return
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "perception-views")
        job = self._thread.submit(self._make, new, step)
        self._jobs |= dict.fromkeys(new, job)

    def collect(self, samples: Sequence[Any], step: int) -> list[Made | None]:
        """Wait for the views of each sample's pictures, and forget them; None for a sample without pictures.

        Views of pictures that `start` did not get, such as those of a tool's answer, are made now.
        """
        begin = time.perf_counter()
        self.start(samples, step)
        keys = [key_of(sample) for sample in samples]
        found = [None if key is None else self._jobs[key].result()[key] for key in keys]
        self._jobs.clear()
        self.waited = time.perf_counter() - begin
        self.seconds, self._spent = self._spent, 0.0
        return found

    def close(self) -> None:
        """End the thread."""
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None

    def _make(self, conversations: Mapping[str, Encoded], step: int) -> dict[str, Made]:
        begin = time.perf_counter()
        # The trainer sets mode and length of its template at will, in another thread.
        template = copy.copy(self.template)
        template.max_length = None
        template.set_mode("train")
        own = {k: template.encode(c, return_template_inputs=True) for k, c in conversations.items()}
        resized = {k: encoded.pop("template_inputs").images for k, encoded in own.items()}
        rows = self.views.make([[_loaded(x) for x in images] for images in resized.values()], step)
        # Views have the size that the template has settled on.
        template.max_pixels = None
        made = {
            k: self._of_prompt(template, conversations[k], own[k], rows, i)
            for i, k in enumerate(conversations)
        }
        self._spent += time.perf_counter() - begin
        return made

    def _of_prompt(
        self, template: Any, conversation: Encoded, own: Encoded, rows: RowViews, row: int
    ) -> Made:
        pixels = {"original": changed("original", own, own)}
        for view in self.views.recipes:
            seen = conversation | {"images": list(rows.pictures[view][row])}
            pixels[view] = changed(view, own, template.encode(seen))
        return Made(pixels, rows.failed)


def key_of(sample: Any) -> str | None:
    """Return a key of a sample's pictures and of all that affects their resize; None for a sample without pictures."""
    if not sample.images:
        return None
    about = json.dumps(sample.extra.get("chat_template_kwargs"), sort_keys=True, default=str)
    return "/".join([about, *map(_name, sample.images)])


def changed(view: str, own: Encoded, seen: Encoded) -> Pixels:
    """Return the tensors of pixels of a view's encoding, after comparing everything else.

    Args:
        view: its name, for the message.
        own: the template's encoding of the prompt.
        seen: of the prompt with the view's pictures.

    Raises:
        ValueError: token ids, grids or shapes differ, so that the view would not have its original's image tokens.
    """
    pixels: Pixels = {}
    for name in own.keys() | seen.keys():
        a, b = own.get(name), seen.get(name)
        if isinstance(b, torch.Tensor) and _are_pixels(a, b):
            pixels[name] = b
        elif not _equal(a, b):
            raise ValueError(
                f"{view}: the template's {name} is {_short(b)}, and {_short(a)} for the original; views may "
                "differ from it in their pixels and nothing else"
            )
    return pixels


def arranged(made: Sequence[Made | None], own: Mapping[str, Any]) -> dict[str, Pixels]:
    """Put the pixels of a micro-batch's samples together, by view: end to end in the samples' order.

    Args:
        made: of each sample; None for one without pictures.
        own: the model's inputs as ms-swift has arranged them.

    Raises:
        ValueError: the originals, arranged in this way, are not what ms-swift made of them.
    """
    seen = [m.pixels for m in made if m is not None]
    names = seen[0]["original"] if seen else {}
    whole = {
        view: {n: torch.cat([p[view][n] for p in seen]) for n in names} for view in (seen[0] if seen else ())
    }
    for name, pixels in whole.get("original", {}).items():
        if not _equal(pixels, own[name].cpu()):
            raise ValueError(
                f"{name}: the template does not lay pictures end to end, or made other pixels of them the second time; "
                "views cannot take the originals' places"
            )
    return whole


def _are_pixels(a: Any, b: torch.Tensor) -> bool:
    return isinstance(a, torch.Tensor) and a.shape == b.shape and a.is_floating_point()


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor) or isinstance(b, torch.Tensor):
        return type(a) is type(b) and a.shape == b.shape and torch.equal(a, b)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(_equal(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def _conversation(sample: Any) -> Encoded:
    encoded: Encoded = copy.deepcopy(sample.to_template_dict())
    messages = encoded["messages"]
    if messages and messages[-1]["role"] == "assistant":
        messages = messages[:-1]
    # Boxes in the text are in pixels of the picture as it was; they have no bearing on what is looked for here.
    return encoded | {"messages": [*messages, ANSWER], "objects": {}}


def _loaded(image: Any) -> Any:
    """Open a picture that the template leaves to the processor, as ms-swift opens pictures."""
    if hasattr(image, "getbands"):
        return image if image.mode == "RGB" else image.convert("RGB")
    from swift.template.vision_utils import load_image

    return load_image(image)


def _name(image: Any) -> str:
    if isinstance(image, Mapping):
        image = image["bytes"] if image.get("bytes") is not None else image.get("path")
    if isinstance(image, str):  # a path, an address, or base64
        return hashlib.sha256(image.encode()).hexdigest()
    return digest(image)


def _short(value: Any) -> str:
    said = repr(value.tolist() if isinstance(value, torch.Tensor) and value.numel() < 64 else value)
    return said if len(said) <= 200 else f"{said[:200]}…"
