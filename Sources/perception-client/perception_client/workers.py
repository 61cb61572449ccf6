"""A few threads for work that waits, or copies without holding Python's lock. A forked child gets its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
COUNT = 4
_pool: tuple[int, ThreadPoolExecutor] | None = None


def mapped(function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Call the function with every item, several at a time, and return the results in order. Calls must not nest."""
    global _pool
    if len(items) < 2:
        return [function(item) for item in items]
    if _pool is None or _pool[0] != os.getpid():
        _pool = os.getpid(), ThreadPoolExecutor(COUNT, "perception-client")
    return list(_pool[1].map(function, items))
