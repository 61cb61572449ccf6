"""Which releases of AReaL this adapter was tested with."""

from __future__ import annotations

from ..versions import require

OLDEST = NEWEST = "1.0.4"


def check() -> None:
    """Refuse an untested release; see `trainers.versions.require`."""
    require("areal", OLDEST, NEWEST)
