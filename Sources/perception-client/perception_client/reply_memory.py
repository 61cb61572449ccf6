"""Memory for large replies, which is reused when nothing refers to the previous one.

The operating system clears every page that it hands out. For pixels that arrive once a step, this takes longer than
receiving them.
"""

from __future__ import annotations

import contextlib
from collections import deque
from typing import Any

import numpy as np

# Below this the allocator has memory at hand.
SMALLEST = 1 << 20
# Bytes that may wait for the next reply, in this process.
MOST_WAITING = 64 << 20

# Appending and popping are atomic, also where the end of a room interrupts another's.
_waiting: deque[np.ndarray[Any, Any]] = deque()


class _Room(np.ndarray[Any, Any]):
    """Bytes of a store, which waits for the next reply when this and every view of it are gone."""

    store: np.ndarray[Any, Any] | None = None

    def __del__(self) -> None:
        if self.store is None:
            return
        _waiting.append(self.store)
        while sum(store.nbytes for store in tuple(_waiting)) > MOST_WAITING:
            # Another thread may have taken the last one.
            with contextlib.suppress(IndexError):
                _waiting.popleft()


def room(count: int) -> memoryview:
    """Return that many writable bytes with arbitrary content. Anything that refers to them keeps them in use."""
    if count < SMALLEST:
        return np.empty(count, np.uint8).data
    store = _waited(count)
    made = store[:count].view(_Room)
    made.store = store
    return made.data


def _waited(count: int) -> np.ndarray[Any, Any]:
    for _ in range(len(_waiting)):
        try:
            store = _waiting.popleft()
        except IndexError:
            break
        # A small reply that is kept must not keep a large one's memory.
        if count <= store.nbytes <= 2 * count:
            return store
        _waiting.append(store)
    return np.empty(count, np.uint8)
