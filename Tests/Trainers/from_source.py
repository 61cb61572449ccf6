"""Trainers that are not on PyPI, from copies of their repositories: what they import and do not use here is stood in for."""

import importlib.abc
import importlib.machinery
import pathlib
import sys
import types
from unittest import mock


class Empty(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules of the names that are not here; each has every attribute."""

    def __init__(self, names):
        self.names = names

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.names:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        # Whatever compares releases sees an old one.
        module.__version__ = "1.15.0"
        module.__getattr__ = lambda attribute: mock.MagicMock(name=f"{spec.name}.{attribute}")
        return module

    def exec_module(self, module):
        module.__path__ = []


def found(source, distribution, version, absent, folder):
    """Make a copy of a repository importable as the release that it is."""
    sys.meta_path.insert(0, Empty(absent))
    about = pathlib.Path(folder) / f"{distribution.replace('-', '_')}-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    # The tests' own folders have the same names.
    sys.path[:0] = [str(source), str(folder)]
