"""One of two ranks: `python ranks.py FOLDER`; see `gloo_ranks.train`."""

import stand_ins  # noqa: F401, I001  before anything of OpenRLHF

import pathlib
import sys

import strategy

import gloo_ranks
from perception_client.trainers.openrlhf import install


def made():
    from openrlhf.trainer.ray.ppo_actor import ActorPPOTrainer

    # ZeRO 3: every forward pass is a collective.
    return strategy.made(ActorPPOTrainer, folder, stage=3, micro=1, batch=8)


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    install()
    gloo_ranks.train(folder, made, strategy)
