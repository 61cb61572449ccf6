"""One of two ranks: `python ranks.py FOLDER`; see `gloo_ranks.train`."""

import pathlib
import sys

import training

import gloo_ranks
from perception_client.trainers.areal import PerceptionPPOActor

if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    gloo_ranks.train(folder, lambda: training.made(PerceptionPPOActor, folder), training)
