"""Pictures of coloured things with values 1 … 9: digits, bars, blocks of dots; with noise and clutter.

Each picture has three things of one kind, in three colours. What is held out comes from another distribution: other
places, sizes, shades and backgrounds, and more clutter.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

import language

SIDE = 56  # pixels
THINGS = 3
# Seven rows of five pixels, the digits 1 … 9.
GLYPHS = (
    "00100 01100 00100 00100 00100 00100 01110", "01110 10001 00001 00110 01000 10000 11111",
    "11110 00001 00001 01110 00001 00001 11110", "00010 00110 01010 10010 11111 00010 00010",
    "11111 10000 11110 00001 00001 10001 01110", "01110 10000 10000 11110 10001 10001 01110",
    "11111 00001 00010 00100 01000 01000 01000", "01110 10001 10001 01110 10001 10001 01110",
    "01110 10001 10001 01111 00001 00001 01110",
)  # fmt: skip
DIGITS = [np.array([[c == "1" for c in row] for row in glyph.split()]) for glyph in GLYPHS]
SHADES = np.array([[225, 40, 40], [40, 200, 60], [50, 80, 235], [230, 215, 40], [215, 50, 215]], np.float32)

# Drawing normal numbers would take most of the time: pictures share these fields of noise.
NOISE = np.random.default_rng(0).standard_normal((512, SIDE, SIDE, 3), np.float32)


@dataclass(frozen=True)
class Distribution:
    """What is drawn at random, and from where. Ranges are inclusive; lengths are pixels.

    Attributes:
        background: grey level.
        noise: standard deviation of the noise of every sample, in levels.
        brightness: factor of a thing's colour.
        tint: largest shift of each channel of a thing's colour, in levels.
        clutter: number of grey rectangles.
        heights: of a digit.
        unit: height of a bar for each 1 of its value.
        widths: of a bar.
        dot: side of a dot.
        floor: distance of a bar's foot from the lower edge.
        slots: places on each side of the grid in which digits and blocks of dots stand.
        jitter: largest distance from the middle of such a place.
    """

    background: tuple[int, int] = (10, 60)
    noise: float = 8
    brightness: tuple[float, float] = (0.75, 1.0)
    tint: int = 15
    clutter: tuple[int, int] = (0, 3)
    heights: tuple[int, int] = (12, 13)
    unit: tuple[int, int] = (5, 5)
    widths: tuple[int, int] = (6, 9)
    dot: tuple[int, int] = (4, 4)
    floor: tuple[int, int] = (2, 4)
    slots: int = 4
    jitter: int = 1


TRAINING = Distribution()
HELD_OUT = Distribution(
    background=(40, 85), noise=10, brightness=(0.65, 1.1), tint=25, clutter=(1, 5), heights=(11, 14), widths=(4, 11),
    dot=(3, 4), floor=(1, 6), jitter=2,
)  # fmt: skip


@dataclass
class Examples:
    """N pictures with one question each. `words` are the right answer; `right` its result.

    Attributes:
        pictures: [N,SIDE,SIDE,3] U8.
        questions: [N,QUESTION].
        words: [N,LONGEST].
        right: [N].
        kinds: [N], 0 digits, 1 bars, 2 dots.
    """

    pictures: np.ndarray = field(repr=False)
    questions: np.ndarray
    words: np.ndarray
    right: np.ndarray
    kinds: np.ndarray

    def __len__(self) -> int:
        return len(self.right)

    def of(self, chosen: np.ndarray) -> Examples:
        """Return the chosen ones."""
        return Examples(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def drawn(count: int, draw: np.random.Generator, of: Distribution = TRAINING) -> Examples:
    """Draw pictures with a question each."""
    kinds = draw.integers(0, 3, count)
    pictures = np.empty((count, SIDE, SIDE, 3), np.uint8)
    questions, words, right = [], [], []
    for i, kind in enumerate(kinds):
        colours = draw.permutation(len(SHADES))[:THINGS]
        values = draw.integers(1, language.LARGEST + 1, THINGS)
        pictures[i] = picture(kind, colours, values, draw, of)
        first, second = draw.permutation(THINGS)[:2]
        operation = int(draw.integers(0, 2))
        about = (operation, int(colours[first]), int(colours[second]))
        questions.append(language.question(*about))
        words.append(language.answer(*about, int(values[first]), int(values[second])))
        right.append(language.result(operation, int(values[first]), int(values[second])))
    return Examples(pictures, np.array(questions), np.array(words), np.array(right), kinds)


def picture(kind: int, colours: np.ndarray, values: np.ndarray, draw: np.random.Generator, of: Distribution) -> np.ndarray:
    """Draw one picture [SIDE,SIDE,3] U8."""
    canvas = np.full((SIDE, SIDE, 3), draw.integers(*of.background, endpoint=True), np.float32)
    for _ in range(draw.integers(*of.clutter, endpoint=True)):
        top, left = draw.integers(0, SIDE - 4, 2)
        high, wide = draw.integers(2, 9, 2)
        canvas[top : top + high, left : left + wide] = draw.integers(30, 150)
    shades = SHADES[colours] * draw.uniform(*of.brightness, (THINGS, 1)) + draw.uniform(-of.tint, of.tint, (THINGS, 3))
    if kind == 1:
        _bars(canvas, shades, values, draw, of)
    else:
        _in_slots(canvas, kind, shades, values, draw, of)
    canvas += of.noise * NOISE[draw.integers(len(NOISE))]
    return canvas.clip(0, 255).astype(np.uint8)


def _bars(canvas: np.ndarray, shades: np.ndarray, values: np.ndarray, draw: np.random.Generator, of: Distribution) -> None:
    foot = SIDE - draw.integers(*of.floor, endpoint=True)
    unit = draw.integers(*of.unit, endpoint=True)
    pitch = SIDE // THINGS
    for place, (shade, value) in enumerate(zip(shades, values, strict=True)):
        width = draw.integers(*of.widths, endpoint=True)
        left = place * pitch + draw.integers(1, pitch - width, endpoint=True)
        canvas[max(0, foot - unit * value) : foot, left : left + width] = shade


def _in_slots(
    canvas: np.ndarray, kind: int, shades: np.ndarray, values: np.ndarray, draw: np.random.Generator, of: Distribution
) -> None:
    slots = draw.permutation(of.slots**2)[:THINGS]
    pitch = SIDE / of.slots
    for slot, shade, value in zip(slots, shades, values, strict=True):
        shape = _digit(value, draw, of) if kind == 0 else _dots(value, draw, of)
        high, wide = shape.shape
        shift = draw.integers(-of.jitter, of.jitter, 2, endpoint=True)
        top = int(np.clip((slot // of.slots + 0.5) * pitch - high / 2 + shift[0], 0, SIDE - high))
        left = int(np.clip((slot % of.slots + 0.5) * pitch - wide / 2 + shift[1], 0, SIDE - wide))
        canvas[top : top + high, left : left + wide][shape] = shade


def _digit(value: int, draw: np.random.Generator, of: Distribution) -> np.ndarray:
    high = int(draw.integers(*of.heights, endpoint=True))
    wide = round(high * 5 / 7)
    glyph = DIGITS[value - 1]
    return glyph[np.arange(high) * 7 // high][:, np.arange(wide) * 5 // wide]


def _dots(value: int, draw: np.random.Generator, of: Distribution) -> np.ndarray:
    side = int(draw.integers(*of.dot, endpoint=True))
    block = np.zeros(9, bool)
    block[draw.permutation(9)[:value]] = True
    cells = np.kron(block.reshape(3, 3), np.ones((side, side), bool))
    cells[side - 1 :: side] = False
    cells[:, side - 1 :: side] = False
    return cells
