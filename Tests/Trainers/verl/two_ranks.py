"""One of two gloo ranks: torchrun two_ranks.py MODEL ROWS OUT WAY. Each takes half of the rows.

WAY: `steps` takes three optimizer steps; `away` takes them while rank 1 alone cannot reach the server any more. Each rank
saves its parameters and metrics.
"""

import sys

import torch

folder, given, out, way = sys.argv[1:]
torch.distributed.init_process_group("gloo")
rank = torch.distributed.get_rank()

from transformers import AutoProcessor

import mini_batch
import training
from perception_client.addresses import resolve

words = AutoProcessor.from_pretrained(folder)
rows = torch.load(given, weights_only=False)
# Rank 1 gets the rows with a micro-batch of which only one row has a picture.
mine = [rows[i] for i in ((0, 1, 2, 3) if rank == 0 else (4, 5, 6, 7))]
engine = training.engine(folder)
assert type(engine).__name__ == "PerceivingEngine"
if way == "away" and rank == 1:
    connection = engine.perception.client.settings
    connection.addresses, connection.deadline = resolve("http://127.0.0.1:9"), 0.3
    engine.perception.client.close()
data = mini_batch.tensordict(mine, words, global_batch_size=len(rows))
metrics = training.steps(engine, data)
said = [{k: getattr(v, "values", v) for k, v in step.items()} for step in metrics]
found = training.parameters(engine)
torch.save({"parameters": found, "metrics": said}, f"{out}.{rank}")
torch.distributed.destroy_process_group()
