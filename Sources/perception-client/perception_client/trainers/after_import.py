"""Changes a module of a trainer when this process imports it, for trainers that start workers and offer no plug point."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

Change = Callable[[ModuleType], None]


def after_import(name: str, change: Change) -> None:
    """Change a module now if it is imported, or as soon as it is. A second call for the same name does nothing.

    Args:
        name: the module's full name.
        change: called with the module after its code has run. The import raises what it raises.
    """
    if any(isinstance(finder, _Finder) and finder.name == name for finder in sys.meta_path):
        return
    found = sys.modules.get(name)
    if found is not None:
        change(found)
    else:
        sys.meta_path.insert(0, _Finder(name, change))


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, name: str, change: Change) -> None:
        self.name = name
        self.change = change

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find the module with the other finders, and have it changed after it is loaded."""
        if fullname != self.name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self.change)
        return spec


class _Loader(importlib.abc.Loader):
    def __init__(self, own: importlib.abc.Loader, change: Change) -> None:
        self.own = own
        self.change = change

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        """Let the module's own loader create it."""
        return self.own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code, then change it."""
        self.own.exec_module(module)
        self.change(module)
