"""Measures of a trainer's step: memory, gradients, time in the server's calls, time that rollouts wait for views."""

import asyncio
import time
import weakref

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from perception_client.trainers.prompt_views import PromptViews


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


def requests(client):
    """The named arguments of each objective that a client is asked for from now on."""
    found, own = [], client.objective

    def objective(*given, **named):
        found.append(named)
        return own(*given, **named)

    client.objective = objective
    return found


def relative(ours, theirs):
    """‖ours − theirs‖ / ‖theirs‖ of two vectors."""
    return float((ours - theirs).norm() / theirs.norm())


def compare_gradients(preset, ours, theirs, without):
    """Check that gradients [N] are those of the loss in process, and that it is a part of them that counts."""
    apart, part = relative(ours, theirs), relative(ours, without)
    print(f"{preset}: gradients differ by {apart:.2g}; the perception loss is {part:.2g} of them")
    assert apart < 1e-5
    assert part > 1e-3


def compare_memory(step):
    """Check that grad_cache needs less memory than direct; `step(mode)` counts the bytes of a step, also of mode `none`."""
    most = {mode: step(mode) for mode in ("direct", "grad_cache", "none")}
    print("most bytes of tensors alive in a step:", most)
    assert most["grad_cache"] - most["none"] < 0.8 * (most["direct"] - most["none"])


def compare_waiting(monkeypatch, engine, generate, waited):
    """Check that rollouts hardly wait for views that are made while an engine takes a second to generate.

    Args:
        monkeypatch: pytest's.
        engine: the inference engine's class.
        generate: the name of its method.
        waited: makes rollouts, and returns how many seconds one of them waited in the mean.
    """
    own, make, taken = getattr(engine, generate), PromptViews.make, []

    async def slowly(*args, **named):
        await asyncio.sleep(1.0)
        return await own(*args, **named)

    def timed(*args):
        taken.append(make(*args))
        return taken[-1]

    monkeypatch.setattr(engine, generate, slowly)
    monkeypatch.setattr(PromptViews, "make", timed)
    mean = waited()
    whole = sum(made.seconds for made in taken)
    print(f"views of {len(taken)} prompts took {1e3 * whole:.1f} ms; a rollout waited {1e3 * mean:.2f} ms for its own")
    assert mean < 0.2 * whole


def share_of(client, step):
    """How many calls a step makes; prints their share of its time."""
    calls = Calls(client)
    begin = time.perf_counter()
    step()
    whole = time.perf_counter() - begin
    print(f"{calls.count} calls, {1e3 * calls.seconds:.1f} of {1e3 * whole:.0f} ms: {calls.seconds / whole:.1%}")
    return calls.count
