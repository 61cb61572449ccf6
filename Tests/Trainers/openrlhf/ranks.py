"""One of several ranks: `python ranks.py FOLDER`, with RANK, WORLD_SIZE, … set. Trains on its share of FOLDER/batches.pt,
twice: as it should be, and with a server that only rank 1 cannot reach after the first step. Rank 0 writes the parameters.
"""

import stand_ins  # noqa: F401, I001  before anything of OpenRLHF

import pathlib
import sys

import strategy
import torch
import torch.distributed as dist

from perception_client import Unreachable
from perception_client.trainers.openrlhf import install


def main(folder):
    install()
    from openrlhf.trainer.ray.ppo_actor import ActorPPOTrainer

    batches = torch.load(folder / "batches.pt", weights_only=False)
    # ZeRO 3: every forward pass is a collective.
    trainer = strategy.made(ActorPPOTrainer, folder, stage=3, micro=1, batch=8)
    rank, world = dist.get_rank(), dist.get_world_size()
    ours = [batch[rank::world] for batch in batches]
    for batch in ours:
        strategy.step(trainer, batch)
    keep(folder / "parameters.pt", trainer, rank)

    trainer = strategy.made(ActorPPOTrainer, folder, stage=3, micro=1, batch=8)
    trainer.client.on_error = "skip"
    strategy.step(trainer, ours[0])
    if rank == 1:
        trainer.client.send = unreachable
    for batch in ours[1:]:
        strategy.step(trainer, batch)
    keep(folder / "skipped.pt", trainer, rank)
    print("skipped", trainer.client.skipped)


def unreachable(call):
    raise Unreachable("the network of this rank is down", 1)


def keep(file, trainer, rank):
    whole = strategy.parameters(trainer)
    if rank == 0:
        torch.save(whole, file)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
