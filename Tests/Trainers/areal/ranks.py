"""One of several ranks: `python ranks.py FOLDER`, with RANK, WORLD_SIZE, … set. Trains on its share of FOLDER/batches.pt,
twice: as it should be, and with a server that only rank 1 cannot reach after the first step. Rank 0 writes the parameters.
"""

import pathlib
import sys

import torch
import training

from perception_client import Unreachable
from perception_client.trainers.areal import PerceptionPPOActor


def main(folder):
    batches = torch.load(folder / "batches.pt", weights_only=False)
    import torch.distributed as dist

    engine = training.made(PerceptionPPOActor, folder)
    rank, world = dist.get_rank(), dist.get_world_size()
    ours = [batch[rank::world] for batch in batches]
    for batch in ours:
        training.step(engine, batch)
    keep(folder / "parameters.pt", engine, rank)

    engine = training.made(PerceptionPPOActor, folder)
    engine.client.on_error = "skip"
    training.step(engine, ours[0])
    if rank == 1:
        engine.client.send = unreachable
    for batch in ours[1:]:
        training.step(engine, batch)
    keep(folder / "skipped.pt", engine, rank)
    print("skipped", engine.client.skipped)


def unreachable(call):
    raise Unreachable("the network of this rank is down", 1)


def keep(file, engine, rank):
    whole = training.parameters(engine)
    if rank == 0:
        torch.save(whole, file)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
