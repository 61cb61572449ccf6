"""Measures of a trainer's step: memory, and time in the server's calls."""

import time
import weakref

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only


class Memory(TorchDispatchMode):
    """Counts the bytes of tensors that are made within the context; `most`: of those alive at any one time."""

    def __init__(self):
        super().__init__()
        self.most = self._now = 0
        self._known = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        found = function(*args, **(kwargs or {}))
        tree_map_only(torch.Tensor, self._note, found)
        return found

    def _note(self, tensor):
        storage = getattr(tensor, "_local_tensor", tensor).untyped_storage()
        key = storage._cdata
        if key not in self._known:
            self._known.add(key)
            self._count(storage.nbytes())
            weakref.finalize(storage, self._forget, key, storage.nbytes())

    def _forget(self, key, size):
        self._known.discard(key)
        self._count(-size)

    def _count(self, size):
        self._now += size
        self.most = max(self.most, self._now)


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
