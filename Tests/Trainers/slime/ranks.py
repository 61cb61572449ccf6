"""Two ranks that gather their rows, each of which writes a file of what it got: run by a test."""

import pathlib
import sys

import torch.distributed as dist
import torch.multiprocessing as processes

from perception_client.trainers.slime import gathering


def rank(number, folder):
    dist.init_process_group("gloo", init_method=f"file://{folder}/rendezvous", rank=number, world_size=2)

    def found(rows):
        assert rows == [0, 10, 1, 11]
        return 7

    def fails(rows):
        raise ValueError("no")

    answer = gathering.together(found, [number, number + 10], dist.group.WORLD)
    try:
        gathering.together(fails, [], dist.group.WORLD)
    except ValueError as error:
        (pathlib.Path(folder) / str(number)).write_text(f"{answer} {type(error).__name__}")
    # None ends while the other still answers it.
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    processes.spawn(rank, (sys.argv[1],), nprocs=2)
