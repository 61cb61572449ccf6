"""Measures of a trainer's step: bytes kept for the backward pass, and time in the server's calls."""

import time

import torch


class Kept:
    """Bytes that autograd keeps within the context: `most` is the largest number at any time. Equal storages count once."""

    def __enter__(self):
        self.most = 0
        self._now = 0
        self._held = {}
        self._hooks = torch.autograd.graph.saved_tensors_hooks(self._pack, lambda box: box.tensor)
        self._hooks.__enter__()
        return self

    def __exit__(self, *error):
        self._hooks.__exit__(*error)

    def _pack(self, tensor):
        return _Box(self, tensor)

    def _add(self, tensor, sign):
        storage = tensor.untyped_storage()
        key = storage.data_ptr(), storage.nbytes()
        before = self._held.get(key, 0)
        self._held[key] = before + sign
        if before + sign == 0:
            del self._held[key]
        if before == 0 or before + sign == 0:
            self._now += sign * storage.nbytes()
            self.most = max(self.most, self._now)


class _Box:
    def __init__(self, kept, tensor):
        self.kept, self.tensor = kept, tensor
        kept._add(tensor, 1)

    def __del__(self):
        self.kept._add(self.tensor, -1)


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
