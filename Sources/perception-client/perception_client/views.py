"""`views`: each picture under each recipe, in the form of the caller's pictures.

Equal pictures are sent once. Their draw depends only on their content and the seed, so that it is the same on every
rank, in every order, and after a restart.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import perturbing, workers
from .calls import Call
from .errors import InvalidRequest
from .perturbing import Perturbed
from .pictures import Alpha, Picture, encoded, picture

log = logging.getLogger("perception_client")
CPPO = ("cppo-preserving", "cppo-removing")
# Bytes of pictures in one request. Larger lists are sent in several, at the same time: while one is on its way, the
# server works on another.
SHORTEST_REQUEST = 4 << 20
LONGEST_REQUEST = 128 << 20
MOST_VARIANTS = 256


class Views(Mapping[str, list[Any]]):
    """Lists of pictures by the view's name, in the order of the images.

    Attributes:
        steps: what was drawn, by view and image; posting it as `steps` gives the same pixels.
        features: the processor's output for `original` and for each view, if there is a processor.
        server_ms: milliseconds that the server spent.
    """

    def __init__(self, pictures: dict[str, list[Any]], steps: dict[str, list[Any]], server_ms: float) -> None:
        self._pictures = pictures
        self.steps = steps
        self.server_ms = server_ms
        self.features: dict[str, Any] = {}

    def __getitem__(self, name: str) -> list[Any]:
        return self._pictures[name]

    def __getattr__(self, name: str) -> list[Any]:
        try:
            return self.__dict__["_pictures"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(
                f"no view {name!r}; there are {', '.join(self.__dict__['_pictures'])}"
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._pictures)

    def __len__(self) -> int:
        return len(self._pictures)

    def __repr__(self) -> str:
        return f"Views({', '.join(f'{n}: {len(p)}' for n, p in self._pictures.items())})"


@dataclass
class Made:
    """The content of one answer: a picture and its steps, by view and the image's index."""

    server_ms: float
    pictures: dict[tuple[str, int], tuple[Any, Any]] = field(default_factory=dict)


@dataclass
class Job:
    """The requests of one call of `views`, and the conversion of their answers to Views."""

    pictures: list[Picture]
    occurrences: list[int]
    named: list[dict[str, Any]]
    setting: dict[str, Any]
    variants: int
    images: list[Any] = field(repr=False)
    alpha: Alpha
    processor: Any = None

    def calls(self, takes_pixels: bool) -> list[Call[Made]]:
        """Return the requests, one for each worker if there are enough images; files and pixels are separate."""
        distinct = {p.digest: p for p in self.pictures}
        calls = []
        for files in (True, False):
            group: dict[str, Any] = {}
            size = 0
            ours = {d: p for d, p in distinct.items() if p.is_file is files}
            whole = sum(
                len(p.data) if isinstance(p.data, bytes) else int(p.data.nbytes) for p in ours.values()
            )
            most = min(LONGEST_REQUEST, max(SHORTEST_REQUEST, whole // workers.COUNT))
            for digest, item in ours.items():
                data: Any = item.data if files or takes_pixels else encoded(np.asarray(item.data))
                length = memoryview(data).nbytes
                if group and size + length > most:
                    calls.append(self._call(group, files))
                    group, size = {}, 0
                group[digest] = data
                size += length
            if group:
                calls.append(self._call(group, files))
        return calls

    def _call(self, group: dict[str, Any], files: bool) -> Call[Made]:
        # A file's orientation is applied, as data sets do on decoding; pixels are as the caller has them.
        # Pixels have no transparency left.
        more = {"orientation": "apply", "alpha": self.alpha} if files else {}
        if self.variants > 1:
            more["variants"] = self.variants  # type: ignore[assignment]
        call = perturbing.perturb(
            group, self.named, format="png" if files else "pixels", **more, **self.setting
        )
        return Call(
            call.method, call.path, lambda answer: self._made(call.read(answer)), call.headers, call.pieces
        )

    def _made(self, answer: Perturbed) -> Made:
        """Make the caller's pictures of one answer, on the thread that read it: others are still on their way.

        Raises ValueError when a recipe changed a picture's size.
        """
        views = {(v.image, v.name, v.variant): v for v in answer.views}
        made = Made(answer.server_ms or 0.0)
        for place, (item, occurrence) in enumerate(zip(self.pictures, self.occurrences, strict=True)):
            for asked in self.named:
                name = asked["name"]
                view = views.get((item.digest, name, occurrence))
                if view is None:
                    continue
                if not isinstance(item.data, bytes) and (view.height, view.width) != item.data.shape[:2]:
                    raise ValueError(
                        f"{name}: the recipe changes the picture's size; use perturb() for such views"
                    )
                made.pictures[name, place] = item.back(view.data), view.steps
        return made

    def finish(self, answers: Iterable[Made]) -> Views:
        """Arrange the answers' pictures in the order of the images."""
        made: dict[tuple[str, int], tuple[Any, Any]] = {}
        spent = 0.0
        for answer in answers:
            spent += answer.server_ms
            made.update(answer.pictures)
        names = [view["name"] for view in self.named]
        places = range(len(self.pictures))
        pictures = {name: [made[name, place][0] for place in places] for name in names}
        steps = {name: [made[name, place][1] for place in places] for name in names}
        views = Views(pictures, steps, spent)
        if self.processor is not None:
            views.features = processed(self.processor, {"original": self.images, **pictures})
        return views


def prepare(
    images: Sequence[Any],
    seed: int,
    recipes: Sequence[str | Mapping[str, Any]] | Mapping[str, str | Mapping[str, Any]] = CPPO,
    *,
    per_rollout: bool = False,
    alpha: Alpha = "white",
    processor: Any = None,
    **setting: Any,
) -> Job:
    """Read the pictures and name the views; see `Perception.views`."""
    distinct = {id(image): image for image in images}
    read = dict(
        zip(distinct, workers.mapped(lambda x: picture(x, alpha), list(distinct.values())), strict=True)
    )
    pictures = [read[id(image)] for image in images]
    counts: dict[str, int] = {}
    occurrences = []
    for item in pictures:
        occurrences.append(counts.get(item.digest, 0) if per_rollout else 0)
        counts[item.digest] = counts.get(item.digest, 0) + 1
    variants = max(counts.values(), default=1) if per_rollout else 1
    if variants > MOST_VARIANTS:
        raise ValueError(
            f"per_rollout: one picture stands {variants} times in the list; {MOST_VARIANTS} at most"
        )
    shared = {k: setting.pop(k) for k in ("always", "schedule") if k in setting}
    named = [
        {"name": name, "recipe": recipe, "seed": int(seed) % (1 << 63)} | shared
        for name, recipe in _names(recipes).items()
    ]
    return Job(pictures, occurrences, named, setting, variants, list(images), alpha, processor)


def refuses_pixels(error: InvalidRequest, sent: bool) -> bool:
    """Whether a server takes only files as pictures. Logs it."""
    if error.status != 415 or not sent:
        return False
    log.warning("this server takes no pixels: pictures are sent as PNG files, which is slower")
    return True


def _names(recipes: Any) -> dict[str, Any]:
    if isinstance(recipes, Mapping):
        return dict(recipes)
    names: dict[str, Any] = {}
    for recipe in recipes:
        label = recipe if isinstance(recipe, str) else str(recipe.get("view", recipe.get("name", "custom")))
        name = next((w for w in ("preserving", "removing") if w in label), label.replace("-", "_"))
        if name in names:
            raise ValueError(
                f"two recipes would both be called {name!r}: name them, such as {{'weak': …, 'strong': …}}"
            )
        names[name] = recipe
    return names


def processed(processor: Any, pictures: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Run a model's image processor on the images and on each view.

    Raises:
        ValueError: `image_grid_thw` differs, so that the view would have a different number of image tokens.
    """
    process = getattr(processor, "image_processor", processor)
    features = {name: process(images=list(images), return_tensors="pt") for name, images in pictures.items()}
    grids = {
        name: np.asarray(f["image_grid_thw"]).tolist()
        for name, f in features.items()
        if "image_grid_thw" in f
    }
    for name, grid in grids.items():
        if grid != grids["original"]:
            raise ValueError(f"{name}: image_grid_thw is {grid}, and {grids['original']} for the original")
    return features
