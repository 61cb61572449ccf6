"""What verl loads in each of its processes, by the entry-point group `verl.plugins`.

It does nothing unless VERL_ENGINE_VENDOR is `perception`, the word by which verl picks its engine. verl logs what a
plugin raises at DEBUG, goes on, and falls back to its own engine, which would train without the loss. So a failure
here is printed and ends the process.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from types import ModuleType

from ..settings import TrainerSettings
from ..versions import require
from .importing import after_import

VENDOR = "perception"
OLDEST, NEWEST = "0.9", "0.9"
MODES = ("direct", "grad_cache")


class PluginFailed(SystemExit):
    """The plugin cannot work here. No `Exception`, which verl would swallow."""


def load() -> None:
    """Check versions and settings, and have the engine and the agent loop's part follow verl's own modules.

    Raises:
        PluginFailed: for whatever reason; the traceback is printed.
    """
    if os.environ.get("VERL_ENGINE_VENDOR") != VENDOR:
        return
    try:
        require("verl", OLDEST, NEWEST)
        offered(TrainerSettings.of())
        after_import("verl.workers.engine", _engine)
        after_import("verl.experimental.agent_loop.agent_loop", _rollouts)
    except Exception as error:
        traceback.print_exc()
        said = f"ERROR: perception-client's plugin for verl failed to load: {error}"
        print(said, file=sys.stderr, flush=True)
        raise PluginFailed(said) from error


def offered(settings: TrainerSettings) -> TrainerSettings:
    """Return the settings when this adapter can do what they say.

    Raises:
        ValueError: another mode than verl's engine allows, or another divisor than verl's.
    """
    if settings.normalise != "micro":
        raise ValueError("PERCEPTION_NORMALISE: verl's own loss_agg_mode says what losses are divided by")
    if settings.mode not in MODES:
        raise ValueError(f"PERCEPTION_MODE: verl's engine offers {' and '.join(MODES)}, not {settings.mode}")
    return settings


def _engine(_: ModuleType) -> None:
    importlib.import_module(f"{__package__}.engine")


def _rollouts(module: ModuleType) -> None:
    importlib.import_module(f"{__package__}.rollouts").install(module)


load()
