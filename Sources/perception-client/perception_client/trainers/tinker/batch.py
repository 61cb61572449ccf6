"""A batch of rollouts, as rows for a training client and as tensors for the perception loss.

B rollouts of S positions each, T positions of the longest response.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from .rollouts import Rollout, datum


class Batch:
    """A batch of rollouts: each response from its first sampled token, padded with zeros to T."""

    def __init__(self, rollouts: Sequence[Rollout]) -> None:
        self.rollouts = rollouts
        self.targets = [r.targets for r in rollouts]
        self.places = [r.response for r in rollouts]
        self.mask = self.responses([torch.tensor(list(r.mask)[1:]) for r in rollouts]) != 0

    def inputs(self, files: Sequence[Sequence[bytes]]) -> list[Any]:
        """Return each rollout's row with these pictures."""
        return [r.under(f) for r, f in zip(self.rollouts, files, strict=True)]

    def asked(self, inputs: Sequence[Any]) -> list[Any]:
        """Return rows as a forward pass takes them."""
        return [
            datum(row, targets, {"weights": list(r.mask)[1:]})
            for row, targets, r in zip(inputs, self.targets, self.rollouts, strict=True)
        ]

    def weighted(
        self,
        inputs: Sequence[Any],
        said: Sequence[torch.Tensor],
        weights: torch.Tensor,
        policy_rows: int | None,
    ) -> list[Any]:
        """Return the rows whose weights [B,T] are not all 0, as a backward pass takes them."""
        found = []
        for k, (row, place) in enumerate(zip(inputs, self.places, strict=True)):
            own = weights[k, : place.stop - place.start]
            if not bool(own.any()):
                continue
            advantages = torch.zeros_like(said[k])
            # Divided by the row's positions there, masked or not, and by the step's rows.
            advantages[place] = own * (1 if policy_rows is None else len(advantages) * policy_rows)
            numbers = {"logprobs": said[k].tolist(), "advantages": advantages.tolist()}
            found.append(datum(row, self.targets[k], numbers))
        return found

    def responses(self, values: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return the rows' numbers [S − 1] as one tensor [B,T]."""
        return torch.nn.utils.rnn.pad_sequence(
            [x[p].float() for x, p in zip(values, self.places, strict=True)], batch_first=True
        )

    def sums(self, said: Mapping[str, Sequence[torch.Tensor]]) -> list[tuple[float, float]]:
        """Return each row's cross-entropy as a sum, and its number of tokens, for `sending.divides`."""
        masks = [torch.tensor(list(r.mask)[1:]).float() for r in self.rollouts]
        return [
            (-float((x * m).sum()), float(m.sum()))
            for of_view in said.values()
            for x, m in zip(of_view, masks, strict=True)
        ]

    def advantages(self) -> torch.Tensor:
        """Return the advantages: [B] if each rollout has one, else [B,T]."""
        given = [r.advantage for r in self.rollouts]
        if any(x is None for x in given):
            raise ValueError("the preset's gate looks at advantages: give every rollout its advantage")
        if all(isinstance(x, float | int) for x in given):
            return torch.tensor(given, dtype=torch.float32)
        wide = [
            torch.full((len(t),), float(x)) if isinstance(x, float | int) else torch.tensor(list(x)[1:])  # type: ignore[arg-type]
            for x, t in zip(given, self.targets, strict=True)
        ]
        return self.responses(wide)

    def rewards(self) -> torch.Tensor:
        """Return the rewards [B]."""
        given = [r.reward for r in self.rollouts]
        if any(x is None for x in given):
            raise ValueError("the preset's gate looks at rewards: give every rollout its reward")
        return torch.tensor(given, dtype=torch.float32)

    def texts(self, tokenizer: Any) -> list[list[str]]:
        """Return the text of each position of the responses."""
        return [[tokenizer.decode([i]) for i in t[p]] for t, p in zip(self.targets, self.places, strict=True)]
