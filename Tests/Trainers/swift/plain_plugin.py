"""A plugin that puts the loss in the process into ms-swift's trainer; PLAIN has the settings as JSON."""

import json
import os

from plain import PlainGRPO
from swift.trainers import TrainerFactory

from perception_client import Perception


class InEveryRank(PlainGRPO):
    client = Perception(os.environ["PLAIN_URL"])
    settings = json.loads(os.environ["PLAIN"])


TrainerFactory.TRAINER_MAPPING["grpo"] = f"{__name__}.InEveryRank"
