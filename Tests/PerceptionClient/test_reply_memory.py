"""Memory of large replies: taken again, but never while somebody holds a part of it."""

import gc

import numpy as np
import pytest

from perception_client import reply_memory

MIB = 1 << 20


@pytest.fixture(autouse=True)
def nothing_waits():
    gc.collect()
    reply_memory._waiting.clear()
    yield
    gc.collect()
    reply_memory._waiting.clear()


def address(memory):
    return np.frombuffer(memory, np.uint8).ctypes.data


def test_memory_is_taken_again_when_nobody_holds_it():
    first = reply_memory.room(4 * MIB)
    place = address(first)
    del first
    assert address(reply_memory.room(4 * MIB)) == place
    # It waits again, and serves a somewhat shorter reply.
    shorter = reply_memory.room(3 * MIB)
    assert len(shorter) == 3 * MIB and address(shorter) == place


def test_a_part_that_is_held_keeps_all_of_it():
    memory = reply_memory.room(4 * MIB)
    memory[:3] = b"abc"
    part = np.frombuffer(memory[1:3], np.uint8).reshape(1, 2)[0]
    place = address(memory)
    del memory
    other = reply_memory.room(4 * MIB)
    assert address(other) != place
    other[:] = bytes(len(other))
    assert part.tobytes() == b"bc"
    part[0] = 7  # arrays of a reply are the caller's to change
    del part
    assert address(reply_memory.room(4 * MIB)) == place


def test_a_small_reply_does_not_take_a_large_ones_memory():
    large = reply_memory.room(16 * MIB)
    place = address(large)
    del large
    assert address(reply_memory.room(2 * MIB)) != place
    assert address(reply_memory.room(12 * MIB)) == place


def test_only_so_much_waits():
    rooms = [reply_memory.room(9 * MIB) for _ in range(12)]
    del rooms
    assert 0 < sum(store.nbytes for store in reply_memory._waiting) <= reply_memory.MOST_WAITING


def test_views_of_two_calls_do_not_share_memory(client):
    image = np.random.default_rng(0).integers(0, 256, (700, 900, 3), np.uint8)
    first = client.views([image], seed=1).removing[0]
    kept = first.copy()
    for seed in range(2, 6):
        client.views([image], seed=seed)
    assert np.array_equal(first, kept)
