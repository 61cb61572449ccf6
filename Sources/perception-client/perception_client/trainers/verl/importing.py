"""Does something once another module has been imported, so that nobody pays for modules that a process does not use."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

Action = Callable[[ModuleType], None]


class _Watch(MetaPathFinder):
    """Finds nothing itself: it lets the other finders find, and acts when their module has run."""

    def __init__(self) -> None:
        self.waiting: dict[str, Action] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        # Taken out first: find_spec asks this finder again.
        action = self.waiting.pop(fullname, None)
        if action is None:
            return None
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        run = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            run(module)
            action(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


_watch = _Watch()


def after_import(name: str, action: Action) -> None:
    """Call `action(module)` when the module of that name has been imported: now, if it has been already.

    What the action raises is raised by the import statement, which then has failed.
    """
    module = sys.modules.get(name)
    if module is not None:
        action(module)
        return
    if _watch not in sys.meta_path:
        sys.meta_path.insert(0, _watch)
    _watch.waiting[name] = action
