"""The plugin that verl loads in each of its processes, by the entry-point group `verl.plugins`.

It does nothing unless VERL_ENGINE_VENDOR is `perception`, which makes verl choose its engine. verl logs a plugin's
exceptions at DEBUG and continues with its own engine, which would train without the loss. So a failure here is printed
and ends the process.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from types import ModuleType

from ..after_import import after_import
from ..settings import TrainerSettings
from ..versions import require

VENDOR = "perception"
OLDEST, NEWEST = "0.9", "0.9"
MODES = ("direct", "grad_cache")


class PluginFailed(SystemExit):
    """The plugin cannot work here. It is not an `Exception`, because verl would catch that."""


def load() -> None:
    """Check versions and settings, and arrange for the other parts to be imported after verl's own modules.

    Raises:
        PluginFailed: for any reason. The traceback is printed.
    """
    if os.environ.get("VERL_ENGINE_VENDOR") != VENDOR:
        return
    try:
        require("verl", OLDEST, NEWEST)
        offered(TrainerSettings.of())
        after_import("verl.workers.engine", _engine)
        after_import("verl.workers.engine_workers", _worker)
        after_import("verl.experimental.agent_loop.agent_loop", _rollouts)
    except Exception as error:
        traceback.print_exc()
        said = f"ERROR: perception-client's plugin for verl failed to load: {error}"
        print(said, file=sys.stderr, flush=True)
        raise PluginFailed(said) from error


def offered(settings: TrainerSettings) -> TrainerSettings:
    """Return the settings if this adapter supports them.

    Raises:
        ValueError: the mode is not one of verl's engine, or the divisor is not verl's.
    """
    if settings.normalise != "micro":
        raise ValueError("PERCEPTION_NORMALISE: verl's own loss_agg_mode says what losses are divided by")
    if settings.mode not in MODES:
        raise ValueError(f"PERCEPTION_MODE: verl's engine offers {' and '.join(MODES)}, not {settings.mode}")
    return settings


def _engine(_: ModuleType) -> None:
    importlib.import_module(f"{__package__}.engine")


def _worker(module: ModuleType) -> None:
    importlib.import_module(f"{__package__}.advantages").install(module)


def _rollouts(module: ModuleType) -> None:
    importlib.import_module(f"{__package__}.rollouts").install(module)


load()
