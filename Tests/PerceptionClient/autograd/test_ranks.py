"""Ranks that share a step: they skip together, or stop together, and none is left in a collective."""

import pytest
import torch
from ranks import on_ranks
from reference import leaves

from perception_client import OtherRankFailed, Perception, PerceptionError
from scripted import free_port


def step(rank, url, broken, option, batch):
    """One loss; the ranks in `broken` talk to nobody, or make the mistake of `option`. Then a collective of the trainer's."""
    mine = f"http://127.0.0.1:{free_port()}" if rank in broken and not option else url
    client = Perception(mine, deadline=0.5 if mine != url else 20, on_error="skip")
    log_probs, rest = leaves(batch)
    try:
        loss = client.loss(log_probs, **rest, **(option if rank in broken else {}))
        loss.backward()
        outcome = loss.item(), float(log_probs["original"].grad.abs().sum()), client.skipped, type(client.last.error).__name__
    except PerceptionError as error:
        outcome = type(error).__name__
    together = torch.ones(1)
    torch.distributed.all_reduce(together)
    return outcome, together.item()


def test_all_skip_when_one_cannot(url, batch):
    found = on_ranks(2, step, url, [1], {}, batch)
    assert found[0] == ((0.0, 0.0, 1, "OtherRankFailed"), 2.0)
    assert found[1] == ((0.0, 0.0, 1, "Unreachable"), 2.0)


def test_nobody_skips_when_all_can(url, batch):
    for (loss, gradient, skipped, error), together in on_ranks(2, step, url, [], {}, batch):
        assert loss > 0 and gradient > 0 and skipped == 0 and error == "NoneType" and together == 2


def test_all_stop_when_one_makes_a_mistake(url, batch):
    found = on_ranks(2, step, url, [0], {"no_such_option": 1}, batch)
    assert found == [("InvalidRequest", 2.0), (OtherRankFailed.__name__, 2.0)]


@pytest.mark.parametrize("size", [2])
def test_a_group_may_be_named(url, batch, size):
    found = on_ranks(size, in_groups, url, batch)
    assert found[0][0] == 0.0 and found[1][0] > 0


def in_groups(rank, url, batch):
    """Two groups of one rank each: what happens in one does not concern the other."""
    groups = [torch.distributed.new_group([r]) for r in range(2)]
    mine = f"http://127.0.0.1:{free_port()}" if rank == 0 else url
    client = Perception(mine, deadline=0.5 if rank == 0 else 20, on_error="skip", group=groups[rank])
    log_probs, rest = leaves(batch)
    return client.loss(log_probs, **rest).item(), client.skipped
