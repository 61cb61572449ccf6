"""Small charts as SVG, readable on light and dark pages: panels of lines over a common range."""

from __future__ import annotations

import html
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass, field

Points = Sequence[Sequence[float]]  # [x, y] pairs
COLOURS = ("#d9480f", "#1971c2", "#2f9e44", "#9c36b5")
STYLE = """
text { font: 11px system-ui, sans-serif; fill: #343a40 } .title { font-weight: 600; font-size: 12px }
.grid { stroke: #dee2e6 } .usual { stroke: #868e96; fill: none; stroke-width: 1.5 } .line { fill: none; stroke-width: 1.8 }
.band { stroke: none; opacity: .18 } .usual-band { fill: #868e96; opacity: .18 }
@media (prefers-color-scheme: dark) { text { fill: #dee2e6 } .grid { stroke: #495057 } }
"""


@dataclass(frozen=True)
class Line:
    """One curve. `spread` is the half width of its band at each point; `usual` draws it grey, as what is compared with."""

    name: str
    points: Points
    spread: Sequence[float] = ()
    usual: bool = False


@dataclass(frozen=True)
class Panel:
    """A chart of lines under a title."""

    title: str
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True)
class Frame:
    """Ranges and words of the axes, the same for all panels."""

    x: tuple[float, float]
    y: tuple[float, float]
    x_name: str
    y_name: str
    x_marks: Sequence[float]
    y_marks: Sequence[float]


def chart(path: pathlib.Path, panels: list[Panel], frame: Frame, columns: int, size: tuple[int, int] = (170, 120)) -> None:
    """Write panels in rows of so many columns. `size` is a panel's plot in pixels."""
    wide, high = size
    cell_wide, cell_high = wide + 45, high + 58
    rows = -(-len(panels) // columns)
    parts = []
    for i, panel in enumerate(panels):
        left, top = 40 + i % columns * cell_wide, 22 + i // columns * cell_high
        parts.append(f'<g transform="translate({left},{top})">{_panel(panel, frame, wide, high)}</g>')
    whole = f'viewBox="0 0 {columns * cell_wide + 10} {rows * cell_high}" xmlns="http://www.w3.org/2000/svg"'
    path.write_text(f"<svg {whole}><style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n")


def _panel(panel: Panel, frame: Frame, wide: int, high: int) -> str:
    def at(x: float, y: float) -> str:
        across = (x - frame.x[0]) / (frame.x[1] - frame.x[0]) * wide
        up = (min(max(y, frame.y[0]), frame.y[1]) - frame.y[0]) / (frame.y[1] - frame.y[0]) * high
        return f"{across:.1f},{high - up:.1f}"

    parts = [f'<text class="title" y="-8">{html.escape(panel.title)}</text>']
    for y in frame.y_marks:
        _, level = at(frame.x[0], y).split(",")
        parts.append(f'<path class="grid" d="M0,{level}H{wide}"/><text x="-5" y="{float(level) + 4}" text-anchor="end">{y:g}</text>')
    for x in frame.x_marks:
        place = at(x, frame.y[0]).split(",")[0]
        parts.append(f'<text x="{place}" y="{high + 14}" text-anchor="middle">{x:g}</text>')
    parts.append(f'<text x="{wide / 2}" y="{high + 27}" text-anchor="middle">{html.escape(frame.x_name)}</text>')
    parts.append(f'<text transform="translate(-29,{high / 2}) rotate(-90)" text-anchor="middle">{html.escape(frame.y_name)}</text>')
    colours = iter(COLOURS)
    named = 0
    for line in panel.lines:
        colour = "" if line.usual else next(colours)
        if line.spread:
            upper = [at(x, y + s) for (x, y), s in zip(line.points, line.spread, strict=True)]
            lower = [at(x, y - s) for (x, y), s in zip(line.points, line.spread, strict=True)]
            kind = 'class="usual-band"' if line.usual else f'class="band" fill="{colour}"'
            parts.append(f'<path {kind} d="M{" ".join(upper + lower[::-1])}Z"/>')
        kind = 'class="usual"' if line.usual else f'class="line" stroke="{colour}"'
        parts.append(f'<path {kind} d="M{" ".join(at(x, y) for x, y in line.points)}"/>')
        if line.name:
            fill = "#868e96" if line.usual else colour
            place = f'x="{wide - 2}" y="{high - 5 - 13 * named}" text-anchor="end"'
            parts.append(f'<text {place} style="fill:{fill}">{html.escape(line.name)}</text>')
            named += 1
    return "".join(parts)
