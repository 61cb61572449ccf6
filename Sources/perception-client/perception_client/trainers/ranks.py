"""What ranks must agree on, so that each makes as many forward passes and collectives as the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist

from ..normalising import collective_device


def anywhere(flags: Sequence[bool], group: Any = None) -> list[bool]:
    """Return for each flag whether it is set on any rank; one all-reduce.

    Forward passes of a sharded model are collectives: where one rank's rows have pictures, and are run under each view,
    the others must run as many passes, whatever rows they have.
    """
    if not dist.is_available() or not dist.is_initialized() or dist.get_world_size(group) == 1:
        return list(flags)
    found = torch.tensor(flags, dtype=torch.int32, device=collective_device(group))
    dist.all_reduce(found, op=dist.ReduceOp.MAX, group=group)
    return [bool(x) for x in found]


def most(count: int, group: Any = None) -> int:
    """Return the largest of the ranks' counts; one all-reduce."""
    if not dist.is_available() or not dist.is_initialized() or dist.get_world_size(group) == 1:
        return count
    found = torch.tensor(count, dtype=torch.int64, device=collective_device(group))
    dist.all_reduce(found, op=dist.ReduceOp.MAX, group=group)
    return int(found)
