"""Questions, answers, and which tokens of an answer must be read off the picture.

A question is three words: an operation and two colours. The answer is a short chain of reasoning: `red 3 blue 7 : 3 + 7 =
10`, or `red 3 blue 7 : 7 - 3 = 4` with the larger number first. Only the numbers that follow a colour have to be seen.
All later words follow from earlier ones.
"""

from __future__ import annotations

import numpy as np

COLOURS = ("red", "green", "blue", "yellow", "magenta")
OPERATIONS = ("+", "-")
LARGEST = 9  # of a value in a picture; sums reach twice that
WORDS = ("<pad>", "<end>", *COLOURS, *(str(n) for n in range(2 * LARGEST + 1)), ":", "=", *OPERATIONS)
NUMBER_OF = {word: number for number, word in enumerate(WORDS)}
PAD, END = NUMBER_OF["<pad>"], NUMBER_OF["<end>"]
FIRST_COLOUR, ZERO = NUMBER_OF[COLOURS[0]], NUMBER_OF["0"]
EQUALS = NUMBER_OF["="]
QUESTION = 3  # words of a question
LONGEST = 11  # words of an answer with its end
VALUES = np.arange(ZERO, ZERO + 2 * LARGEST + 1)


def question(operation: int, first: int, second: int) -> list[int]:
    """Return the words of a question about two colours, by their positions in OPERATIONS and COLOURS."""
    return [NUMBER_OF[OPERATIONS[operation]], FIRST_COLOUR + first, FIRST_COLOUR + second]


def result(operation: int, a: int, b: int) -> int:
    """Return the sum of two values, or the larger less the smaller."""
    return a + b if operation == 0 else abs(a - b)


def answer(operation: int, first: int, second: int, a: int, b: int) -> list[int]:
    """Return the words of the right answer [LONGEST], when the two colours have the values a and b."""
    left, right = (a, b) if operation == 0 else (max(a, b), min(a, b))
    return [
        FIRST_COLOUR + first, ZERO + a, FIRST_COLOUR + second, ZERO + b, NUMBER_OF[":"], ZERO + left,
        NUMBER_OF[OPERATIONS[operation]], ZERO + right, EQUALS, ZERO + result(operation, a, b), END,
    ]  # fmt: skip


def response_mask(words: np.ndarray) -> np.ndarray:
    """Return which words [..., T] belong to the answer: all up to the first end, that included."""
    ended = np.cumsum(words == END, axis=-1)
    return (ended == 0) | ((ended == 1) & (words == END))


def must_be_seen(words: np.ndarray) -> np.ndarray:
    """Return which words [..., T] must be read off the picture: numbers right after a colour."""
    number = (words >= ZERO) & (words <= VALUES[-1])
    colour = (words >= FIRST_COLOUR) & (words < FIRST_COLOUR + len(COLOURS))
    after = np.zeros_like(colour)
    after[..., 1:] = colour[..., :-1]
    return number & after & response_mask(words)


def rewards(words: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return 1 for each answer [..., T] that ends in `=`, the right result [...] and the end, and 0 for others."""
    ends = np.argmax(words == END, axis=-1)
    found = np.take_along_axis(words, np.maximum(ends - 1, 0)[..., None], -1)[..., 0]
    before = np.take_along_axis(words, np.maximum(ends - 2, 0)[..., None], -1)[..., 0]
    return ((ends >= 2) & (before == EQUALS) & (found == right + ZERO)).astype(np.float32)


def text(words: np.ndarray) -> str:
    """Return the words of one answer [T] as text."""
    kept = words[response_mask(words)]
    return " ".join(WORDS[w] for w in kept)
