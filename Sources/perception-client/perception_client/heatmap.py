"""Heat maps of tokens as self-contained HTML, without scripts, fonts or pictures.

Radio buttons in plain CSS switch between four colourings – ΔH, score, mask, loss – so that they work in notebooks that
run no scripts. Markup in the tokens' texts is escaped.
"""

from __future__ import annotations

import html
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .results import Array, Score

MOST_TOKENS = 20_000
_numbers = itertools.count(1)

_STYLE = """
.perception{font:14px/1.9 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.perception input{position:absolute;opacity:0}
.perception label{cursor:pointer;margin-right:.6em;padding:.15em .6em;border:1px solid #8888;border-radius:1em}
.perception input:focus-visible+label{outline:2px solid #48f}
.perception .row{margin:.5em 0;white-space:pre-wrap;overflow-wrap:anywhere}
.perception .row b{opacity:.6;font-weight:normal;margin-right:.6em}
.perception .t{background:var(--c);border-radius:.2em;padding:.15em 0}
.perception .i{padding:.15em .25em;margin-right:1px}
.perception .summary,.perception .note{font-family:system-ui,sans-serif;opacity:.85}
"""


@dataclass(frozen=True)
class Coloring:
    """One way to colour tokens: a key, its button's text, and the values [B,T]."""

    key: str
    label: str
    values: Array


class HeatMap:
    """HTML that a notebook displays; `str` is the text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.text


def page(score: Score, tokens: Any = None, color: str | None = None) -> str:
    """Return a whole page. Takes the arguments of `fragment`."""
    body = fragment(score, tokens, color)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        "<title>Perception heat map</title><style>body{margin:2em;color:CanvasText;background:Canvas}</style></head>"
        f"<body>{body}</body></html>"
    )


def fragment(score: Score, tokens: Any = None, color: str | None = None) -> str:
    """Return a heat map to put into a page.

    Args:
        score: with at least one of `delta_entropy`, `perception_score`, `mask`, `token_loss`.
        tokens: the text of each token: B lists, or one list for a single sequence. Default: the positions.
        color: the colouring that is shown first: `delta_entropy`, `perception_score`, `mask` or `token_loss`.
    """
    if score.skipped:
        return f'<div class="perception note">skipped: {html.escape(str(score.error))}</div>'
    colorings = [c for c in _colorings(score) if c.values.size]
    if not colorings:
        return '<div class="perception note">there is nothing to show: no tokens</div>'
    keys = [c.key for c in colorings]
    if color is not None and color not in keys:
        raise ValueError(f"color: expected one of {', '.join(keys)}, not {color!r}")
    number = f"perception{next(_numbers)}"
    chosen = color or keys[0]
    buttons, rules = [], []
    for c in colorings:
        checked = " checked" if c.key == chosen else ""
        name = f"{number}-{c.key}"
        low, high = float(c.values.min()), float(c.values.max())
        buttons.append(
            f'<input type="radio" name="{number}" id="{name}"{checked}>'
            f'<label for="{name}" title="{low:.4g} … {high:.4g}">{c.label}</label>'
        )
        rules.append(
            f"#{name}:checked~.row .t{{--c:var(--{c.key})}}#{name}:checked+label{{background:#8884}}"
        )
    rows = "".join(_rows(colorings, _texts(tokens, colorings[0].values)))
    return (
        f'<div class="perception"><style>{_STYLE}{"".join(rules)}</style>'
        f'<div class="summary">{html.escape(_summary(score))}</div>{"".join(buttons)}{rows}</div>'
    )


def _colorings(score: Score) -> Iterator[Coloring]:
    known = (
        ("delta_entropy", "ΔH"),
        ("perception_score", "score"),
        ("mask", "mask"),
        ("token_loss", "loss"),
    )
    for key, label in known:
        values = getattr(score, key)
        if values is not None:
            yield Coloring(key, label, np.atleast_2d(np.asarray(values, np.float64)))


def _summary(score: Score) -> str:
    counts = score.diagnostics
    parts = [f"loss {score.loss:.6g}"]
    parts += [
        f"{counts[name]} {name}" for name in ("tokens", "candidates", "selected", "gated") if name in counts
    ]
    if "preset" in score.options:
        parts.append(str(score.options["preset"]))
    return " · ".join(parts)


def _texts(tokens: Any, values: Array) -> list[list[str] | None]:
    rows = len(values)
    if tokens is None:
        return [None] * rows
    listed: Sequence[Any] = (
        [tokens] if rows == 1 and all(not isinstance(t, list | tuple) for t in tokens) else tokens
    )
    if len(listed) != rows:
        raise ValueError(f"tokens: expected {rows} lists, found {len(listed)}")
    for row in listed:
        if len(row) > values.shape[1]:
            raise ValueError(f"tokens: at most {values.shape[1]} in a sequence, found {len(row)}")
    return [[str(t) for t in row] for row in listed]


def _rows(colorings: list[Coloring], texts: list[list[str] | None]) -> Iterator[str]:
    left = MOST_TOKENS
    scales = [float(np.abs(c.values).max()) or 1.0 for c in colorings]
    for index, texts_of_row in enumerate(texts):
        values = np.stack([c.values[index] for c in colorings])
        length = len(texts_of_row) if texts_of_row is not None else _length(values)
        shown = min(length, left)
        left -= shown
        spans = "".join(
            _token(colorings, scales, values[:, t], t, texts_of_row[t] if texts_of_row is not None else None)
            for t in range(shown)
        )
        label = f"<b>{index}</b>" if len(texts) > 1 else ""
        yield f'<div class="row">{label}{spans}</div>'
        if shown < length or (left == 0 and index + 1 < len(texts)):
            yield f'<div class="note">more than {MOST_TOKENS} tokens: the rest is left out</div>'
            return


def _length(values: Array) -> int:
    # Padding is 0 in every array; without texts nothing else tells it from the response.
    used = np.flatnonzero(np.any(values != 0, axis=0))
    return int(used[-1]) + 1 if len(used) else values.shape[1]


def _token(
    colorings: list[Coloring], scales: list[float], values: Array, position: int, text: str | None
) -> str:
    colors = ";".join(
        f"--{c.key}:{_color(v / scale)}" for c, scale, v in zip(colorings, scales, values, strict=True) if v
    )
    told = ", ".join(f"{c.label} {v:.4g}" for c, v in zip(colorings, values, strict=True))
    title = html.escape(f"{position}: {told}", quote=True)
    shown = f"{position}" if text is None else _visible(text)
    kind = "t i" if text is None else "t"
    return f'<span class="{kind}" style="{colors}" title="{title}">{shown}</span>'


def _color(share: float) -> str:
    """Red for what rises, blue for what falls; the more, the denser."""
    density = min(1.0, abs(share)) * 0.75
    return f"rgba(225,70,40,{density:.2f})" if share > 0 else f"rgba(40,110,225,{density:.2f})"


def _visible(text: str) -> str:
    """Escape a token's text; blanks alone and line ends get a mark so that they can be seen and pointed at."""
    if text == "":
        return "∅"
    if text.strip(" ") == "":
        return "␣" * len(text)
    shown = "".join(c if c in "\n\t" or c.isprintable() else "�" for c in text)
    return html.escape(shown, quote=True).replace("\n", "⏎\n").replace("\t", "⇥")
