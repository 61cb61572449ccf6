"""Prints the file for `swift rlhf --external_plugins`."""

from . import PLUGIN

print(PLUGIN)
