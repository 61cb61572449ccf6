"""A sample's view, encoded in its index, the one number of a sample that slime passes to the training ranks.

A view's sample of the rollout i has the index −(2i + 1) or −(2i + 2).
"""

from __future__ import annotations

VIEWS = ("preserving", "removing")


def mark(index: int, view: str) -> int:
    """Return the index of a view's sample of the rollout `index` ≥ 0."""
    return -(2 * index + 1 + VIEWS.index(view))


def view_of(index: int) -> str:
    """Return a sample's view, `original` for a rollout's own sample."""
    return "original" if index >= 0 else VIEWS[(-index - 1) % 2]
