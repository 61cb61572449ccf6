"""One of two gloo ranks: torchrun two_ranks.py MODEL ROWS OUT WAYS. Each takes half of the rows.

WAYS is JSON: a list of variables, such as {"PERCEPTION_MODE": "direct"}, to take three optimizer steps with; with "away"
rank 1 alone cannot reach the server any more. Each rank saves its parameters and metrics after each of them.
"""

import json
import os
import sys

import mini_batch
import torch
import training
from transformers import AutoProcessor

from perception_client.addresses import resolve

folder, given, out, ways = sys.argv[1:]
torch.distributed.init_process_group("gloo")
rank = torch.distributed.get_rank()
words = AutoProcessor.from_pretrained(folder)
rows = torch.load(given, weights_only=False)
mine = rows[:4] if rank == 0 else rows[4:]
found = []
for way in json.loads(ways):
    away = way.pop("away", False)
    os.environ.update(way)
    if way["PERCEPTION_PRESET"] == "vppo":
        # Advantages are the worker's, which has an engine.
        worker = training.worker(folder)
        for _ in range(3):
            training.updated(worker, mine, len(rows))
        found.append({"parameters": training.parameters(worker.actor.engine), "metrics": []})
        continue
    engine = training.engine(folder)
    assert type(engine).__name__ == "PerceivingEngine"
    if away and rank == 1:
        connection = engine.perception.client.settings
        connection.addresses, connection.deadline = resolve("http://127.0.0.1:9"), 0.3
        engine.perception.client.close()
    metrics = training.steps(engine, mini_batch.tensordict(mine, words, global_batch_size=len(rows)))
    said = [{k: getattr(v, "values", v) for k, v in step.items()} for step in metrics]
    found.append({"parameters": training.parameters(engine), "metrics": said})
torch.save(found, f"{out}.{rank}")
torch.distributed.destroy_process_group()
