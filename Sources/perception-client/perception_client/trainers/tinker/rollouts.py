"""A rollout, and the rows that its views become.

A rollout has S positions: tokens, and those that its pictures take. A row has S − 1: position i predicts position i + 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import tinker
from tinker import types


@dataclass(frozen=True)
class Rollout:
    """One rollout: the prompt and what the model sampled, with pictures in their places.

    Attributes:
        sequence: all of it, S positions. Pictures are `ImageChunk`s with `expected_tokens`, already resized for the
            model. They may be in later turns.
        mask: [S], 1 where a token was sampled.
        advantage: of the rollout, or of each position [S]; for presets whose gate looks at it.
        reward: for presets whose gate looks at it.
    """

    sequence: tinker.ModelInput = field(repr=False)
    mask: Sequence[float] = field(repr=False)
    advantage: float | Sequence[float] | None = None
    reward: float | None = None

    @classmethod
    def of(
        cls,
        prompt: tinker.ModelInput,
        tokens: Sequence[int],
        advantage: float | None = None,
        reward: float | None = None,
    ) -> Rollout:
        """Make a rollout from a prompt and the tokens sampled after it."""
        mask = [0.0] * prompt.length + [1.0] * len(tokens)
        chunks = [*prompt.chunks, tinker.EncodedTextChunk(tokens=list(tokens))]
        return cls(tinker.ModelInput(chunks=chunks), mask, advantage, reward)

    @property
    def pictures(self) -> list[bytes]:
        """The pictures' files, in order."""
        return [chunk.data for chunk in self.sequence.chunks if isinstance(chunk, types.ImageChunk)]

    def check(self, number: int) -> None:
        """Refuse a rollout that cannot be a row.

        Raises:
            ValueError: states what is wrong and what to do.
        """
        where = f"rollout {number}"
        chunks = self.sequence.chunks
        for chunk in chunks:
            if isinstance(chunk, types.ImageChunk):
                if chunk.expected_tokens is None:
                    raise ValueError(
                        f"{where}: a picture has no expected_tokens, so that its row's positions are not known: "
                        "give ImageChunk the number"
                    )
            elif not isinstance(chunk, tinker.EncodedTextChunk):
                raise ValueError(
                    f"{where}: a {type(chunk).__name__} has no pixels to make views of: put the picture itself into "
                    "the prompt, as an ImageChunk"
                )
        if not chunks or not isinstance(chunks[-1], tinker.EncodedTextChunk) or not chunks[-1].tokens:
            raise ValueError(f"{where}: it must end in tokens that were sampled")
        if len(self.mask) != self.sequence.length:
            raise ValueError(
                f"{where}: mask has {len(self.mask)} values, and the sequence {self.sequence.length} positions"
            )
        if not isinstance(self.advantage, float | int | None) and len(self.advantage) != len(self.mask):
            raise ValueError(
                f"{where}: advantage has {len(self.advantage)} values, and mask {len(self.mask)}"
            )
        if self.mask[0] or any(m and t is None for m, t in zip(self.mask, self._tokens(), strict=True)):
            raise ValueError(f"{where}: mask is set where there is a picture, or at the first token")

    def under(self, pictures: Sequence[bytes]) -> tinker.ModelInput:
        """Return a row's S − 1 positions with other pictures in place of its own."""
        files = iter(pictures)
        chunks = [
            types.ImageChunk(
                data=(file := next(files)), format=_format(file), expected_tokens=chunk.expected_tokens
            )
            if isinstance(chunk, types.ImageChunk)
            else chunk
            for chunk in self.sequence.chunks[:-1]
        ]
        end: Any = self.sequence.chunks[-1]
        last = list(end.tokens)[:-1]
        return tinker.ModelInput(chunks=[*chunks, *([tinker.EncodedTextChunk(tokens=last)] if last else [])])

    @property
    def targets(self) -> list[int]:
        """The token that each of the S − 1 positions predicts; 0 for a picture, which is not scored."""
        return [t or 0 for t in self._tokens()[1:]]

    @property
    def response(self) -> slice:
        """The row's positions from the first to the last that predict a sampled token."""
        set_ = [i for i, m in enumerate(self.mask[1:]) if m]
        return slice(set_[0], set_[-1] + 1) if set_ else slice(0, 0)

    def _tokens(self) -> list[int | None]:
        found: list[int | None] = []
        chunk: Any
        for chunk in self.sequence.chunks:
            found += [None] * chunk.length if isinstance(chunk, types.ImageChunk) else list(chunk.tokens)
        return found


def datum(
    row: tinker.ModelInput, targets: Sequence[int], numbers: Mapping[str, Sequence[float]]
) -> tinker.Datum:
    """Return a row with its targets and the numbers that its loss takes, each [S − 1]."""
    inputs: dict[str, Any] = {
        "target_tokens": tinker.TensorData(data=list(targets), dtype="int64", shape=[len(targets)])
    }
    inputs |= {
        name: tinker.TensorData(data=[float(x) for x in values], dtype="float32", shape=[len(values)])
        for name, values in numbers.items()
    }
    return tinker.Datum(model_input=row, loss_fn_inputs=inputs)


def _format(file: bytes) -> Literal["png", "jpeg"]:
    return "jpeg" if file[:3] == b"\xff\xd8\xff" else "png"
