"""For `swift rlhf --external_plugins`: the perception loss in ms-swift's GRPO trainer, set by PERCEPTION_… variables."""

from perception_client.trainers.swift import install

install()
