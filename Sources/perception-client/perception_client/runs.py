"""Names of training runs that fit into the header `Perception-Run`."""

from __future__ import annotations

import hashlib
import re

LONGEST = 64
_OTHER = re.compile(r"[^A-Za-z0-9._:/-]")


def normalised(name: str) -> str:
    """Return a name that fits into the header. A name that fits already is unchanged.

    Characters that do not fit become `_`. A short digest of the whole name follows, so that two names that differ
    only there stay apart.
    """
    if name and len(name) <= LONGEST and not _OTHER.search(name):
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{_OTHER.sub('_', name)[: LONGEST - len(digest) - 1]}-{digest}"
