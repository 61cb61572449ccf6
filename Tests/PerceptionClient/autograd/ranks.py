"""Runs a function on gloo ranks, each in a process of its own."""

import multiprocessing
import os
import traceback


def _run(rank, size, port, function, arguments, queue, seconds):
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    import datetime

    import torch

    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", rank=rank, world_size=size, timeout=datetime.timedelta(seconds=seconds / 2))
    try:
        queue.put((rank, function(rank, *arguments), None))
    except Exception:
        queue.put((rank, None, traceback.format_exc()))
    finally:
        torch.distributed.destroy_process_group()


def on_ranks(size, function, *arguments, seconds=120):
    """Results of the function on ranks 0 … size − 1; it gets its rank first, and has so many seconds."""
    from scripted import free_port

    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    port = free_port()
    processes = [context.Process(target=_run, args=(r, size, port, function, arguments, queue, seconds)) for r in range(size)]
    for process in processes:
        process.start()
    try:
        found = {}
        for _ in processes:
            rank, value, error = queue.get(timeout=seconds)
            assert error is None, error
            found[rank] = value
        return [found[r] for r in range(size)]
    finally:
        for process in processes:
            process.join(20)
            if process.is_alive():
                process.terminate()
