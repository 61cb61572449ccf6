"""The releases that an adapter was tested with. It refuses to start with others unless the user overrides this."""

from __future__ import annotations

import importlib.metadata
import logging
import os
import re

log = logging.getLogger("perception_client")
OVERRIDE = "PERCEPTION_UNTESTED_TRAINER"


class UntestedTrainer(ImportError):
    """The installed trainer is not among the releases that the adapter was tested with."""


def require(distribution: str, oldest: str, newest: str) -> str:
    """Return the installed version when `oldest` ≤ version ≤ `newest`, where 1.16 stands for every 1.16.x.

    Args:
        distribution: the trainer's name on PyPI.
        oldest: the first release tested.
        newest: the last release tested.

    Raises:
        UntestedTrainer: the trainer is missing, or its version is outside the range. PERCEPTION_UNTESTED_TRAINER=1 turns
            the latter into a warning.
    """
    try:
        installed = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        raise UntestedTrainer(
            f"{distribution} is not installed; this adapter needs {oldest} … {newest}"
        ) from None
    last = _numbers(newest)
    if _numbers(oldest) <= _numbers(installed) and _numbers(installed)[: len(last)] <= last:
        return installed
    said = f"{distribution} {installed} is installed, and this adapter was tested with {oldest} … {newest}"
    if os.environ.get(OVERRIDE) != "1":
        raise UntestedTrainer(f"{said}. Install one of those, or set {OVERRIDE}=1 to try it all the same")
    log.warning("%s; %s=1 lets it run", said, OVERRIDE)
    return installed


def _numbers(version: str) -> tuple[int, ...]:
    # Pre-releases count as the release: 1.17.0rc1 has 1.17's interfaces.
    return tuple(int(n) for n in re.findall(r"\d+", re.split(r"[a-z+]", version)[0]))
