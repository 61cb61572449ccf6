"""Two ranks that gather their rows: run by a test."""

import tempfile

import torch.distributed as dist
import torch.multiprocessing as processes

from perception_client.trainers.slime import training


def rank(number, file):
    dist.init_process_group("gloo", init_method=f"file://{file}", rank=number, world_size=2)

    def weighed(own, rows):
        if own == "fails":
            raise ValueError("no")
        assert rows == [0, 10, 1, 11]
        return {}, {"answer": 7}

    training._weights = weighed
    _, said = training._together("works", [number, number + 10], dist.group.WORLD)
    try:
        training._together("fails", [], dist.group.WORLD)
    except ValueError as error:
        print(f"{number}:{said['answer']}:{type(error).__name__}", flush=True)
    # None ends while the other still answers it.
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        processes.spawn(rank, (f"{folder}/rendezvous",), nprocs=2)
