"""Computes a mask and a heat map for an image, a question and a response."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import options as contract
from ..calls import Call, target
from ..results import VIEWS, Score, arranged
from ..safetensors_file import MEDIA_TYPE
from .engine import Engine, EngineError, Spoken

if TYPE_CHECKING:
    from ..client import Perception


@dataclass(frozen=True)
class Perceived:
    """How much one response depends on its image.

    Attributes:
        score: the server's answer, one sequence of T tokens.
        tokens: the text of each token, or its id if the engine reports no text.
        views: the preserving and the removing view, as PNG files.
        steps: what was drawn for them.
    """

    score: Score
    tokens: list[str]
    views: dict[str, bytes] = field(repr=False)
    steps: dict[str, Any] = field(repr=False)

    def to_html(self, color: str | None = None) -> str:
        """Make a self-contained page with the heat map."""
        return self.score.to_html(self.tokens, color)

    def show(self, color: str | None = None) -> Any:
        """Return the heat map for a notebook to display."""
        return self.score.show(self.tokens, color)

    def _repr_html_(self) -> str:
        return str(self.show())


def perceive(
    client: Perception,
    engine: Engine,
    image: Any,
    question: str,
    response: str,
    *,
    seed: int = 0,
    recipes: Mapping[str, str] | None = None,
    **option: Any,
) -> Perceived:
    """Score a response under three views of an image, without a trainer.

    Args:
        client: the Perception Server.
        engine: the inference engine.
        image: a Pillow image, an array, or an encoded file.
        question: the user's text.
        response: the answer to score.
        seed: of the views.
        recipes: the recipes of `preserving` and `removing`.
        option: options of /v1/score. The detector `entropy` needs `vocabulary_size`, the width of the model's logits;
            the gate is `none` unless one is given.
    """
    original = _file(image)
    wanted = recipes or {"preserving": "cppo-preserving", "removing": "cppo-removing"}
    views = client.views([original], seed, wanted)
    files = {"original": original, **{name: bytes(made[0]) for name, made in views.items()}}
    if set(files) != set(VIEWS):
        raise ValueError(f"recipes: expected preserving and removing, found {', '.join(wanted)}")
    spoken = {name: engine.speak(data, question, response) for name, data in files.items()}
    first = spoken["original"]
    if any(s.length != first.length for s in spoken.values()):
        raise EngineError(
            f"the views have {[s.length for s in spoken.values()]} tokens: one tokenisation is needed"
        )
    score = client.send(posted(spoken, {"gate": "none"} | option))
    tokens = first.texts or [str(i) for i in first.token_ids or range(first.length)]
    return Perceived(score, tokens, {n: files[n] for n in views}, {n: s[0] for n, s in views.steps.items()})


def posted(spoken: Mapping[str, Spoken], option: Mapping[str, Any]) -> Call[Score]:
    """Make the request that passes the engine's replies on unchanged."""
    first = spoken["original"]
    rollout: dict[str, Any] = {name: {"reply": s.reply} for name, s in spoken.items()}
    rollout |= {"token_ids": first.token_ids} if first.token_ids else {"response_length": first.length}
    body = json.dumps({"options": contract.plain(dict(option)), "rollouts": [rollout]}).encode()
    headers = {"Content-Type": "application/json", "Accept": MEDIA_TYPE}

    def read(answer: Any) -> Score:
        score: Score = arranged(Score, answer)
        return score

    return Call("POST", target("/v1/score"), read, headers, (body,))


def _file(image: Any) -> bytes:
    """An image file's bytes: as they are, or as PNG."""
    from ..pictures import encoded, picture

    read = picture(image)
    return read.data if isinstance(read.data, bytes) else bytes(encoded(read.data))
