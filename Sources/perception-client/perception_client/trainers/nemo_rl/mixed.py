"""Batches in which some rows have pictures and others have none, before NeMo-RL flattens their messages.

NeMo-RL judges a batch by its first row. If that has pictures, a row without them is an error. If it has none, the other
rows' pictures are lost, and nobody is told. So each row gets the keys that any of them has, as NeMo-RL itself writes them
for a prompt that is too long: without a tensor.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from typing import Any

import torch

FLATTEN = "batched_message_log_to_flat_message"
Log = list[dict[str, Any]]


def install() -> None:
    """Complete the rows wherever NeMo-RL flattens a batch in this process, that of `grpo_train`."""
    from nemo_rl.data import llm_message_utils

    own = getattr(llm_message_utils, FLATTEN)
    if own.__module__ == __name__:
        return

    @functools.wraps(own, assigned=())
    def flattened(message_log_batch: Sequence[Log], *args: Any, **more: Any) -> Any:
        return own(completed(message_log_batch), *args, **more)

    for name, module in list(sys.modules.items()):
        if name.startswith("nemo_rl.") and vars(module).get(FLATTEN) is own:
            setattr(module, FLATTEN, flattened)


def completed(logs: Sequence[Log]) -> list[Log]:
    """Return rows that all have the keys of the model's inputs that any of them has.

    Args:
        logs: the messages of each row.
    """
    from nemo_rl.data.multimodal_utils import PackedTensor
    from nemo_rl.distributed.batched_data_dict import BatchedDataDict

    found = {key: value for log in logs for message in log for key, value in message.items()}

    def absent(key: str, first: dict[str, Any]) -> dict[str, Any]:
        if isinstance(found[key], PackedTensor):
            return {key: PackedTensor([None], found[key].dim_to_pack)}
        # What tells tokens of pictures from those of text.
        of_tokens = key in BatchedDataDict.ADDITIONAL_OPTIONAL_KEY_TENSORS
        return {key: torch.zeros_like(first["token_ids"])} if of_tokens else {}

    rows = []
    for log in logs:
        first = dict(log[0])
        for key in found.keys() - {key for message in log for key in message}:
            first |= absent(key, first)
        rows.append([first, *log[1:]])
    return rows
