"""Measures of a trainer's step: memory, and time in the server's calls."""

import contextlib
import time

from torch.distributed._tools.mem_tracker import MemTracker


@contextlib.contextmanager
def memory():
    """Measure the bytes of all tensors that are made within the context; `most()`: of those alive at any one time."""
    tracker = MemTracker()
    with tracker:
        yield lambda: max(kinds["Total"] for kinds in tracker.get_tracker_snapshot("peak").values())


class Calls:
    """Seconds that a client's calls took, and how many there were."""

    def __init__(self, client):
        self.seconds, self.count = 0.0, 0
        self._own = client.send
        client.send = self._timed

    def _timed(self, call):
        begin = time.perf_counter()
        try:
            return self._own(call)
        finally:
            self.seconds += time.perf_counter() - begin
            self.count += 1


def relative(ours, theirs):
    """‖ours − theirs‖ / ‖theirs‖ of two vectors."""
    return float((ours - theirs).norm() / theirs.norm())
