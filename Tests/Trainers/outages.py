"""A server that goes away in the middle of a trainer's steps.

A trainer's `loop` is a module with `step(trainer, batch)` and `parameters(trainer)`.
"""

import threading

import torch


def parameters_after(loop, trainer, batches, server):
    """The parameters after steps of which the second begins without a server; it is back after a second."""
    first, second, *others = batches
    loop.step(trainer, first)
    server.kill()
    back = threading.Timer(1.0, server.start)
    back.start()
    loop.step(trainer, second)
    back.join()
    for batch in others:
        loop.step(trainer, batch)
    return loop.parameters(trainer)


def skipped(loop, trainer, batches, server, without):
    """What the steps say when the server goes away before the first of them; none has a perception loss.

    Args:
        loop: the trainer's.
        trainer: with `on_error` skip, which has asked the server what its preset needs.
        batches: of the steps.
        server: is killed.
        without: the parameters after these steps without a perception loss.
    """
    assert trainer.wanted.others
    server.kill()
    said = [loop.step(trainer, batch) for batch in batches]
    assert torch.equal(loop.parameters(trainer), without)
    return said
